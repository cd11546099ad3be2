"""Compose, in whichever of its two generations is installed."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@cache
def program() -> tuple[str, ...]:
    """`docker compose` (v2), or `docker-compose` (1.29, Debian's)."""
    for words in (("docker", "compose"), ("docker-compose",)):
        try:
            subprocess.run([*words, "version"], capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        return words
    raise AssertionError("Compose is not installed: run `make docker`")


@dataclass(frozen=True)
class Compose:
    """One project: its name, its files, and what its variables say."""

    project: str
    files: Sequence[Path]

    def __call__(self, *arguments: str, check: bool = True) -> str:
        """What a command prints on its standard output. Raises AssertionError when it fails."""
        files = [word for file in self.files for word in ("--file", str(file))]
        result = subprocess.run(
            [*program(), "--project-name", self.project, *files, *arguments],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert not check or result.returncode == 0, result.stderr + result.stdout
        return result.stdout.strip()
