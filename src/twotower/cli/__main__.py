"""`python -m twotower.cli` is the command line, as `python -m twotower` is."""

import sys

from .dispatch import main

if __name__ == "__main__":
    sys.exit(main())
