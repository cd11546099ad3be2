"""The project stays as it is laid out, and its documents name only commands that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ["dags", "docs", "include", "plugins", "tests"]
IGNORED = {line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line}


def test_the_top_level_has_just_these_folders():
    """The Astro image, the import rules and every reader rely on them."""
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "."}
    assert folders - IGNORED == set(FOLDERS)


def test_the_documents_name_only_commands_that_make_has():
    pages = [
        *ROOT.glob("*.md"),
        *(page for name in FOLDERS for page in (ROOT / name).rglob("*.md")),
    ]
    targets = re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    text = "\n".join(page.read_text() for page in pages)
    named = re.findall(r"(?:`|^|\$\()make (?:-s )?([a-z0-9-]+)", text, re.MULTILINE)
    assert set(named) <= set(targets)
