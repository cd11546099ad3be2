"""The commands that logs, alerts and pages name, as a person types them in the project's folder."""

from __future__ import annotations

import shlex
from pathlib import Path

PROJECT = Path(__file__).parents[2]
MADE = ".venv/bin/landfall"  # by make
IN_AN_IMAGE = "python -m include.landfall"


def status_command(feed: str) -> str:
    """Returns the command that shows what is loaded and what has failed of a feed."""
    return _command("status", feed)


def rejects_command(feed: str, key: str | None = None) -> str:
    """Returns the command that shows the rejects of a feed of the project, or of one object."""
    command = _command("rejects", feed)
    return f"{command} --object {_quoted(key)}" if key else command


def _command(name: str, feed: str) -> str:
    program = MADE if (PROJECT / MADE).exists() else IN_AN_IMAGE
    return f"{program} {name} --feed include/feeds/{feed}.yaml"


def _quoted(text: str) -> str:
    """Returns the text as a shell takes it, on one line."""
    if text.isprintable():
        return shlex.quote(text)
    escaped = text.encode("unicode_escape").decode().replace("'", "\\'")
    return f"$'{escaped}'"
