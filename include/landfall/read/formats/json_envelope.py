"""JSON whose rows are elements of an array under a key: finds it, and checks what is around it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from include.landfall.errors import HeaderMismatch, LandfallError, MisshapenRow
from include.landfall.read.formats.json_elements import Elements, blocks_of
from include.landfall.read.formats.json_text import JsonText
from include.landfall.read.formats.text_blocks import Block

MOST_KEYS = 20  # that an error names
LONGEST_NAMED = 60
ASK = "correct format.rows in the feed, or ask the sender for another file"


def envelope_blocks(
    stream: BinaryIO, ahead: bytes, line: int, path: Sequence[str]
) -> Iterator[Block]:
    """Yields the elements of the array that the path leads to, as `element_blocks` does.

    `ahead` is what was read of the stream before, without a byte-order mark, and `line` the number
    of its first line.

    Raises: HeaderMismatch when the path leads to no array, or a key of it stands twice;
    TruncatedFile when the file is cut; MisshapenRow when it is no JSON, or text follows it.
    """
    return blocks_of(envelope_elements(stream, ahead, line, path))


def envelope_elements(
    stream: BinaryIO, ahead: bytes, line: int, path: Sequence[str]
) -> Iterator[tuple[int, bytes]]:
    """Yields the elements one by one, each with the line where it begins."""
    envelope = _Envelope(JsonText(stream, ahead, line), path)
    text = envelope.text
    envelope.enter()
    elements = Elements(stream, text.rest(), text.line)
    yield from elements.elements()
    text.go_on(elements.rest, elements.line)
    envelope.leave()


def spelt(path: Sequence[str]) -> str:
    """Returns a path as a feed has it: a list, where a key has a dot."""
    has_dot = any("." in step or not step for step in path)
    return json.dumps(list(path), ensure_ascii=False) if has_dot else ".".join(path)


class _Envelope:
    """The objects that a path leads through."""

    def __init__(self, text: JsonText, path: Sequence[str]) -> None:
        self.text, self._path = text, path

    def enter(self) -> None:
        """Goes to the array's bracket."""
        for depth, step in enumerate(self._path):
            self._check_kind(depth, "an object")
            self.text.take(b"{")
            self._go_to(step, depth)
        self._check_kind(len(self._path), "an array")

    def leave(self) -> None:
        """Goes to the end of the file, from behind the array."""
        for depth in reversed(range(len(self._path))):
            while self.text.take(b",", b"}") == b",":
                if self.text.key() == self._path[depth]:
                    raise self._twice(depth)
                self.text.pass_over()
        if self.text.peek():
            raise self._more_follows()

    def _go_to(self, step: str, depth: int) -> None:
        """Goes to the value of a key of the object."""
        keys: list[str] = []
        count = 0
        is_more = self.text.peek() != b"}"
        while is_more:
            if (key := self.text.key()) == step:
                return
            count += 1
            if len(keys) < MOST_KEYS:
                keys.append(key[:LONGEST_NAMED])
            self.text.pass_over()
            is_more = self.text.take(b",", b"}") == b","
        if not count:
            self.text.take(b"}")
        raise self._missing(step, depth, keys, count)

    def _check_kind(self, depth: int, expected: str) -> None:
        """Checks what a step leads to."""
        kind = self.text.kind()
        if kind == expected:
            return
        what = f"the key {spelt(self._path[:depth])}" if depth else "the file"
        do = ASK
        if kind == "an array":
            do = (
                "leave out format.rows: the rows are on top"
                if not depth
                else f"write rows: {spelt(self._path[:depth])}, if its elements are the rows"
            )
        shown = ", ".join(map(repr, self._first_keys())) if kind == "an object" else ""
        raise HeaderMismatch(
            f"format.rows leads to no array: {what} holds {kind}",
            found=f"{kind} with the keys {shown}" if shown else kind,
            expected=f"{expected}, by rows: {spelt(self._path)}",
            do=do,
        ).at(line=self.text.line)

    def _first_keys(self) -> list[str]:
        """Returns the first keys of the object at the place."""
        keys: list[str] = []
        is_more = self.text.take(b"{") == b"{" and self.text.peek() != b"}"
        while is_more and len(keys) < MOST_KEYS:
            keys.append(self.text.key()[:LONGEST_NAMED])
            self.text.pass_over()
            is_more = self.text.take(b",", b"}") == b","
        return keys

    def _missing(self, step: str, depth: int, keys: list[str], count: int) -> LandfallError:
        within = f" within {spelt(self._path[:depth])}" if depth else ""
        more = f" and {count - len(keys):,} more" if count > len(keys) else ""
        is_one_a_line = not depth and self.text.peek() == b"{"
        error = HeaderMismatch(
            f"the file has no key {step!r}{within}, where format.rows has the rows",
            found=", ".join(map(repr, keys)) + more if keys else "an object without keys",
            expected=f"an array, by rows: {spelt(self._path)}",
            do="leave out format.rows: the file has one object a line" if is_one_a_line else ASK,
        )
        return error.at(line=self.text.line)

    def _twice(self, depth: int) -> LandfallError:
        return HeaderMismatch(
            f"the key {spelt(self._path[: depth + 1])} stands twice in the file, and format.rows"
            " leads to one array",
            expected="one array with all rows",
            do="ask the sender for another file",
        ).at(line=self.text.line)

    def _more_follows(self) -> LandfallError:
        is_one_a_line = self.text.peek() == b"{"
        return MisshapenRow(
            "text follows the JSON object that holds the rows",
            found=self.text.rest()[:100].decode(errors="backslashreplace"),
            expected="one object in the file, by format.rows",
            do="leave out format.rows, if each line is a row; else ask the sender for one file for"
            " each object"
            if is_one_a_line
            else "ask the sender for a file without it",
        ).at(line=self.text.line)
