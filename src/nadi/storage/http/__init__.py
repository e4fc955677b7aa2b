"""A far server as a store: one more member of the family, spoken to over HTTP; loaded when a URL asks for it."""
