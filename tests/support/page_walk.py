"""Walks a page with one feed as a reader does: every command in order, on its own servers."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from include.landfall.connections import Store, Warehouse
from include.local.services.environ import connections, tools
from include.local.state import PROJECT


@dataclass
class Walk:
    """The page's feed, by its path on the page, in a folder of the reader's.

    `files` are other files that the commands write, by their names on the page.
    """

    feed: str
    text: str
    folder: Path
    files: Sequence[str] = ()

    def run(self, commands: Sequence[str], warehouse: Warehouse, store: Store) -> dict[str, str]:
        """Runs the commands, and returns what each printed."""
        self._path.write_text(self.text)
        environ = {**os.environ, **connections(warehouse, store), **tools(warehouse, store)}
        return {command: self._run(command, environ) for command in commands}

    @property
    def _path(self) -> Path:
        return self.folder / Path(self.feed).name

    def _run(self, command: str, environ: dict[str, str]) -> str:
        typed = command.replace(self.feed, str(self._path))
        for name in self.files:
            typed = typed.replace(name, str(self.folder / name))
        done = subprocess.run(
            typed, shell=True, cwd=PROJECT, env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout.replace(str(self._path), self.feed)


def plain(text: str) -> str:
    """The text without what differs from run to run: blanks, ids of loads, seconds."""
    text = re.sub(r"in \d+\.\d s \(load \d+\)", "in … s (load …)", text)
    return " ".join(re.sub(r"-{3,}(\+-+)*", "---", text).split())
