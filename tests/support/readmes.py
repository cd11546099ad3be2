"""The pages as a reader uses them: the commands that they give, and the output that they show."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from functools import cache

from include.local.state import PROJECT

FOLDERS = ("dags", "include", "plugins", "tests")
# A reader would type these words of a text. Names of files and options are no commands.
COMMAND = re.compile(r"make$|(make|eval|python -m|\.venv/bin/\w+|airflow|astro|psql -\w) ")
PIECES = re.compile(
    r"^(?P<margin> *)```(?P<language>\w*)\n(?P<block>.*?)^ *```$|`(?P<inline>[^`]+)`",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """A fenced block, and the output shown in a block without a language right after it."""

    language: str
    text: str
    shown: str | None = None

    @property
    def commands(self) -> list[str]:
        """The commands of a block for the shell. A backslash joins a line to the next one."""
        lines = re.split(r"(?<!\\)\n", self.text)
        return [line for line in lines if line and not line.startswith("#")]


def pages() -> dict[str, str]:
    """Returns every page by its path in the project: those of the root, of docs, every README.

    The changelog is not a page: it names commands of the past.
    """
    paths = [PROJECT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")]
    paths += sorted((PROJECT / "docs").glob("*.md"))
    paths += [page for folder in FOLDERS for page in sorted((PROJECT / folder).rglob("README.md"))]
    return {str(page.relative_to(PROJECT)): page.read_text() for page in paths}


@cache
def blocks(page: str) -> tuple[Block, ...]:
    """Returns the fenced blocks of a page; shown output belongs to the block before it."""
    fenced: list[Block] = []
    end = 0
    text = pages()[page]
    for piece in PIECES.finditer(text):
        if piece["block"] is None:
            continue
        block = Block(piece["language"], textwrap.dedent(piece["block"]))
        if not block.language and fenced and not text[end : piece.start()].strip():
            fenced[-1] = Block(fenced[-1].language, fenced[-1].text, block.text)
        else:
            fenced.append(block)
        end = piece.end()
    return tuple(fenced)


@cache
def commands(page: str) -> tuple[str, ...]:
    """Returns the commands of a page in its order: blocks for the shell, and words in a text."""
    typed: list[str] = []
    for piece in PIECES.finditer(pages()[page]):
        if piece["language"] == "sh":
            typed += Block("sh", textwrap.dedent(piece["block"])).commands
        elif piece["inline"] and COMMAND.match(words := " ".join(piece["inline"].split())):
            typed.append(words)
    return tuple(dict.fromkeys(typed))


def only(page: str, language: str, word: str = "") -> Block:
    """Returns the one block of a page that is in this language and holds the word."""
    (block,) = (b for b in blocks(page) if b.language == language and word in b.text + str(b.shown))
    return block
