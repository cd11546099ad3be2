"""`python -m include.local`, as the make targets start it, in a home for one test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil

from include.local.state import PROJECT


def command(*arguments: str) -> list[str]:
    """The command line of a make target."""
    return [sys.executable, "-m", "include.local", *arguments]


def environ(home: Path) -> dict[str, str]:
    """The environment of a program in this home, with a wide terminal."""
    return {**os.environ, "LANDFALL_LOCAL": str(home), "COLUMNS": "160"}


def local(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command to its end; returns its exit code and output."""
    return subprocess.run(
        command(*arguments),
        capture_output=True, text=True, cwd=PROJECT, env=environ(home), check=False,
    )  # fmt: skip


def programs_of(home: Path) -> list[psutil.Process]:
    """Every process on this machine whose environment names the home."""
    return [process for process in psutil.process_iter() if str(home) in _environ_of(process)]


def _environ_of(process: psutil.Process) -> str:
    try:
        return json.dumps(process.environ())
    except psutil.Error:
        return ""
