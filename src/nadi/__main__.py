"""`python -m nadi`: the command line."""

import sys

from nadi.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
