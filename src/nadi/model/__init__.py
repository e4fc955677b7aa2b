"""Floor 1: what there is. Values and pure functions; no I/O, no clock, no globals."""
