"""Floor 2: where it is kept. Start with `contract.py`: what every store promises."""
