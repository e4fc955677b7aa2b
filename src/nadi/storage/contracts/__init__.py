"""What stores promise beside runs: one contract a subject."""
