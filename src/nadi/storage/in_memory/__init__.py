"""What a memory store keeps beside runs: one file a subject, each fulfilling its contract in `storage/contracts`."""
