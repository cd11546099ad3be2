"""The sub-commands' parsers: the options that they share, and the examples in their --help."""

from __future__ import annotations

import argparse
from typing import Any

PROGRAM = "landfall"


def add_command(commands: Any, name: str, summary: str, examples: str) -> argparse.ArgumentParser:
    """Adds a command whose --help ends with examples: options, each on a line of its own."""
    lines = "\n".join(f"  {PROGRAM} {name} {line}".rstrip() for line in examples.splitlines())
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"examples:\n{lines}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return command


def add_feed(command: argparse.ArgumentParser) -> None:
    """Adds --feed and --json, which most commands have."""
    command.add_argument("--feed", required=True, metavar="PATH", help="the feed's YAML file")
    command.add_argument("--json", action="store_true", help="one JSON object a line")
