"""The command line: `python -m include.landfall --help`."""

import io
import sys

from include.landfall.startup import ending, starting


def run() -> int:
    """Runs the command line, and returns its exit code."""
    _write_utf8()
    try:
        with starting():  # it takes a while, and Ctrl-C may come in it
            from include.landfall.cli.main import main
        return main()
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return 130
    finally:
        ending()


def _write_utf8() -> None:
    """Has all output in UTF-8, whatever the machine's locale is.

    Keys and cells may have any letter, and commands read feeds and CSV in UTF-8 again.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # there is none where it was closed
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(run())
