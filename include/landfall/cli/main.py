"""Runs one command, and turns its errors into messages and exit codes."""

from __future__ import annotations

import argparse
import os
import traceback
from collections.abc import Sequence

from include.landfall.cli import check, load, schema, status, validate
from include.landfall.cli.output import show_error
from include.landfall.errors import LandfallError, TerminalError

TRACE = "LANDFALL_TRACE"
EXIT_CODES = """\
exit codes:
  0   all that was new is loaded (or nothing was new); every connection can be used
  1   an error that has no code of its own
  2   the feed is wrong, or does not fit its table; also wrong arguments
  3   a connection is missing, or its server refused the key, the password or a right
  4   no such bucket or object
  5   a file's content is wrong: nothing of that file was loaded
  75  a server is away or a connection broke: a retry can help
check goes on after a failure, and ends with the lowest code of all that it met
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code. Errors go to standard error, whole."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except LandfallError as error:
        show_error(error, as_json=options.json)
        return error.exit_code
    except Exception as error:  # noqa: BLE001  the last line of defence: no traceback for a person
        show_error(_unforeseen(error), as_json=options.json)
        return LandfallError.exit_code


def _unforeseen(error: Exception) -> LandfallError:
    if os.environ.get(TRACE):
        traceback.print_exception(error)
    return TerminalError(
        "an error that landfall did not foresee",
        found=f"{type(error).__name__}: {error}",
        do=f"report it, with what {TRACE}=1 prints before this message",
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m include.landfall",
        description="Files land in S3, rows land in Postgres: exactly once, atomically.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in (load, validate, status, check, schema):
        command.add_to(commands)
    return parser
