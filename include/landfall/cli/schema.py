"""landfall schema: prints the JSON schema of feed files, for editors."""

from __future__ import annotations

import argparse
import json
from typing import Any

from include.landfall.cli.command import add_command
from include.landfall.feed.schema import schema


def add_to(commands: Any) -> None:
    """Adds the command to the parser."""
    summary = "print the JSON schema of feed files, for editors"
    command = add_command(commands, "schema", summary, "> include/feeds/feed.schema.json")
    command.set_defaults(run=run, json=False)


def run(options: argparse.Namespace) -> int:
    """Prints the schema."""
    print(json.dumps(schema(), indent=2))
    return 0
