"""Runs one command, and turns its errors into messages and exit codes."""

from __future__ import annotations

import argparse
import errno
import os
import sys
import traceback
from collections.abc import Sequence
from functools import partial

from include.landfall.cli import (
    audit,
    check,
    forget,
    load,
    plan,
    rejects,
    replay,
    schema,
    sniff,
    status,
    tidy,
    validate,
)
from include.landfall.cli.command import PROGRAM
from include.landfall.cli.output import show_error
from include.landfall.errors import LandfallError, TerminalError, WrongUse

TRACE = "LANDFALL_TRACE"
# Only sniff writes files too, into a temporary folder.
DISK_IS_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
INTERRUPTED = 130  # as shells say it: 128 and the number of SIGINT
EXIT_CODES = """\
exit codes:
  0    done: what was new is loaded, or nothing was new; every reject was
       replayed; every connection can be used
  1    an error that has no code of its own; audit found a difference
  2    the feed is wrong, or does not fit its table; an option is wrong
  3    a connection is missing, or a server refused the key, the password or a
       right
  4    no such bucket or object; the ledger has no such object
  5    a file's content is wrong, and none of its rows were loaded; or a
       replayed row is still a reject
  6    status --late: no new file has come for longer than source.late_after
  75   a server is away or a connection broke: a retry can help
  130  stopped by Ctrl-C: each file is loaded whole or not at all
check goes on after a failure, and ends with the lowest code that it met.

connections, from the environment, as Airflow spells them:
  AIRFLOW_CONN_WAREHOUSE  Postgres: postgres://user:password@host:5432/database
  AIRFLOW_CONN_LANDING    S3: {"conn_type": "aws", "login": "KEY", ...}
A feed can name others. The local servers: make up; eval "$(make -s env)"

landfall COMMAND --help shows the options and examples of a command.
In the project's folder the program is .venv/bin/landfall; elsewhere, such as in
an image: python -m include.landfall
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code. Errors go to standard error, whole."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except KeyboardInterrupt as stop:
        print("stopped", *getattr(stop, "__notes__", ())[:1], sep=": ", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # who reads the output, such as `head`, has enough of it
        _drop_output()
        return LandfallError.exit_code
    except Exception as error:  # noqa: BLE001  the last line of defence: no traceback for a person
        if isinstance(error, OSError) and error.errno in DISK_IS_FULL:
            _drop_output()
            show_error(_unwritten(error), as_json=False)
        else:
            show_error(_unforeseen(error), as_json=options.json)
        return LandfallError.exit_code


def _run(options: argparse.Namespace) -> int:
    """Runs the command, shows its error, and writes all output. Returns the exit code."""
    try:
        code = int(options.run(options))
    except LandfallError as error:
        show_error(error, as_json=options.json)
        code = error.exit_code
    sys.stdout.flush()
    return code


def _unwritten(error: OSError) -> LandfallError:
    return TerminalError(
        f"the output could not be written: {error.strerror}; what was loaded stays loaded, and"
        " landfall status shows it"
    )


def _drop_output() -> None:
    """Drops what is not written yet: else Python would fail at its end when it tries again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _unforeseen(error: Exception) -> LandfallError:
    if os.environ.get(TRACE):
        traceback.print_exception(error)
    return TerminalError(
        "an error that landfall did not foresee",
        found=f"{type(error).__name__}: {error}",
        do=f"report it, with what {TRACE}=1 prints before this message",
    )


class _Help(argparse.RawDescriptionHelpFormatter):
    """Shows the commands without the line that only names them COMMAND."""

    def _format_action(self, action: argparse.Action) -> str:
        text = super()._format_action(action)
        return text.partition("\n")[2] if action.nargs == argparse.PARSER else text


def _without_command(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    """Shows the help to somebody who has typed the program's name alone."""
    parser.print_help(sys.stderr)
    return WrongUse.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Files land in S3, rows land in Postgres: exactly once, atomically.",
        epilog=EXIT_CODES,
        formatter_class=_Help,
    )
    parser.set_defaults(run=partial(_without_command, parser), json=False)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for command in (
        check, sniff, validate, plan, load, status, audit, rejects, replay, forget, tidy, schema,
    ):  # fmt: skip
        command.add_to(commands)
    return parser
