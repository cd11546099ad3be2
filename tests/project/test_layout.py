"""The project stays as it is laid out, and its documents name only commands that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = ["dags", "include", "plugins", "tests"]
IGNORED = {line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line}
MODULES = [path for folder in CODE for path in sorted((ROOT / folder).rglob("*.py"))]
PAGES = [*ROOT.glob("*.md")]
PAGES += [page for folder in [*CODE, "docs"] for page in (ROOT / folder).rglob("*.md")]


def test_no_folder_has_joined_the_top_level():
    """The Astro image, the layers and every reader know these four, and docs beside them."""
    there = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "."}
    assert there - IGNORED == {*CODE, "docs"}


def test_every_module_can_be_read_in_one_sitting():
    limit = {"tests": 600}  # a list of cases reads faster than code
    lines = {path.relative_to(ROOT): path.read_text().count("\n") for path in MODULES}
    long = {str(path): n for path, n in lines.items() if n >= limit.get(path.parts[0], 400)}
    assert long == {}


def test_the_documents_name_only_commands_that_make_has():
    targets = re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    text = "\n".join(page.read_text() for page in PAGES)
    named = re.findall(r"(?:`|^|\$\()make (?:-s )?([a-z0-9-]+)", text, re.MULTILINE)
    assert set(named) <= set(targets)
