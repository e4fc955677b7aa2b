"""Floor 3: where tasks run. Start with `contract.py`: what every executor promises."""
