"""The command line: `python -m include.landfall --help`."""

import sys

from include.landfall.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
