"""The pages as their readers take them: which commands they give, and what they show."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from functools import cache

from include.local.state import PROJECT

FOLDERS = ("dags", "include", "plugins", "tests")
# In a text, this is what a reader would type; names of files and options are none of it.
COMMAND = re.compile(r"make$|(make|eval|python -m|\.venv/bin/\w+|airflow|astro|psql -\w) ")
PIECES = re.compile(
    r"^(?P<margin> *)```(?P<language>\w*)\n(?P<block>.*?)^ *```$|`(?P<inline>[^`]+)`",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """A fenced block and, where a block without a language follows it, what it is said to print."""

    language: str
    text: str
    shown: str | None = None

    @property
    def commands(self) -> list[str]:
        """Those of a block for the shell. A backslash at a line's end joins the next to it."""
        lines = re.split(r"(?<!\\)\n", self.text)
        return [line for line in lines if line and not line.startswith("#")]


def pages() -> dict[str, str]:
    """Every page by its path in the project: those of the root, of docs, and every README.

    The changelog is none of them: it names commands of the past.
    """
    found = [PROJECT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
    found += sorted((PROJECT / "docs").glob("*.md"))
    found += [page for folder in FOLDERS for page in sorted((PROJECT / folder).rglob("README.md"))]
    return {str(page.relative_to(PROJECT)): page.read_text() for page in found}


@cache
def blocks(page: str) -> tuple[Block, ...]:
    """The fenced blocks of a page; a shown one belongs to the block before it."""
    found: list[Block] = []
    end = 0
    text = pages()[page]
    for piece in PIECES.finditer(text):
        if piece["block"] is None:
            continue
        block = Block(piece["language"], textwrap.dedent(piece["block"]))
        if not block.language and found and not text[end : piece.start()].strip():
            found[-1] = Block(found[-1].language, found[-1].text, block.text)
        else:
            found.append(block)
        end = piece.end()
    return tuple(found)


@cache
def commands(page: str) -> tuple[str, ...]:
    """What a page has its reader type, in its order: blocks for the shell, and words in a text."""
    found: list[str] = []
    for piece in PIECES.finditer(pages()[page]):
        if piece["language"] == "sh":
            found += Block("sh", textwrap.dedent(piece["block"])).commands
        elif piece["inline"] and COMMAND.match(words := " ".join(piece["inline"].split())):
            found.append(words)
    return tuple(dict.fromkeys(found))
