"""The command line: `python -m include.landfall --help`."""

import io
import sys

from include.landfall.unused import leave_out_unused


def run() -> int:
    """Runs the command line, and returns its exit code."""
    leave_out_unused()
    _write_utf8()
    try:
        from include.landfall.cli.main import main  # it takes a while, and Ctrl-C may come in it

        return main()
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return 130


def _write_utf8() -> None:
    """Has all output in UTF-8, whatever the machine's locale is.

    Keys and cells may have any letter, and commands read feeds and CSV in UTF-8 again.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # there is none where it was closed
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(run())
