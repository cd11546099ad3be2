"""The sub-commands' parsers: the options that they share, and the examples in their --help.

No option that is given is ignored: one that a command cannot honour beside another one is refused.
"""

from __future__ import annotations

import argparse
from typing import Any

from include.landfall.errors import WrongUse

PROGRAM = "landfall"


def add_command(
    commands: Any, name: str, summary: str, examples: str, about: str = ""
) -> argparse.ArgumentParser:
    """Adds a command whose --help says what it does, and ends with examples.

    `summary` is its line in `landfall --help`; `about` are sentences, and `examples` options, each
    on a line of its own.
    """
    lines = "\n".join(f"  {PROGRAM} {name} {line}".rstrip() for line in examples.splitlines())
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.\n{about}".rstrip(),
        epilog=f"examples:\n{lines}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.register("action", None, _StoreOnce)
    return command


def add_feed(command: argparse.ArgumentParser) -> None:
    """Adds --feed and --json, which most commands have."""
    command.add_argument("--feed", required=True, metavar="PATH", help="the feed's YAML file")
    add_json(command)


def add_json(command: argparse.ArgumentParser) -> None:
    """Adds --json."""
    command.add_argument(
        "--json", action="store_true", help="print for programs: one JSON object a line"
    )


def refuse_beside(options: argparse.Namespace, option: str, others: list[str], do: str) -> None:
    """Checks that none of the other options is there too.

    Raises: WrongUse with the names of those that are, and with `do`: what to write instead.
    """
    values = vars(options)
    given = [other for other in others if values[other.removeprefix("--")] not in (None, False)]
    if given:
        raise WrongUse(f"{option} cannot be used with {' and '.join(given)}", do=do)


class _StoreOnce(argparse.Action):
    """Stores the value of an option that takes one.

    It refuses a second value, which would replace the first, and an empty one, which is mostly that
    of a shell's variable that is not set.
    """

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        if values == "":
            raise argparse.ArgumentError(self, "expected a value, and found an empty text")
        if option_string and getattr(namespace, self.dest) is not self.default:
            raise argparse.ArgumentError(self, "it takes one value, and is there twice")
        setattr(namespace, self.dest, values)
