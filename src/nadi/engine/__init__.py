"""Floor 3: what happens next. Decides by pure functions of the model, acts thinly."""
