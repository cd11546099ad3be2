"""The command line: `python -m include.landfall --help`."""

import sys

from include.landfall.unused import leave_out_unused


def run() -> int:
    """Runs the command line, and returns its exit code."""
    leave_out_unused()
    try:
        from include.landfall.cli.main import main  # it takes a while, and Ctrl-C may come in it

        return main()
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return 130


if __name__ == "__main__":
    sys.exit(run())
