"""Benchmarks: what Nadi costs, each figure beside a yardstick measured in the same moment."""
