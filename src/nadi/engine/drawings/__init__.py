"""Pictures of graphs: what they say, how they are laid out, and each form."""
