"""The command line. `main.py` is the way in; each command has a file of its name, loaded when it is called."""
