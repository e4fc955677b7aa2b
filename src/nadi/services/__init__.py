"""What lives beside a store as long as a server: the reaper of lost runs, retention, launched and stopped runs."""
