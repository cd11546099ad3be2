"""JSON whose rows are under a key, or are objects by their ids: finds them, and checks the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from include.landfall.errors import HeaderMismatch, LandfallError, MisshapenRow
from include.landfall.feed.dialect import JsonDialect
from include.landfall.feed.maxima import LONGEST_ROW
from include.landfall.read.formats.json_elements import Elements
from include.landfall.read.formats.json_pieces import Ids, Members, Values
from include.landfall.read.formats.json_text import JsonText

MOST_KEYS = 20  # that an error names
LONGEST_NAMED = 60
ASK = "correct format.rows in the feed, or ask the sender for another file"


@dataclass(frozen=True)
class Way:
    """How to get to the rows: the path to their array or, by `ids`, to the object with them."""

    path: Sequence[str]
    ids: Ids | None = None

    @classmethod
    def of(cls, dialect: JsonDialect, ids: Ids | None = None) -> Way:
        """Makes the way that a feed declares. `ids` takes the place of its own."""
        own = Ids(dialect.ids, dialect.values) if dialect.ids else None
        return cls(dialect.rows, ids or own)

    @property
    def kind(self) -> str:
        """What the path leads to."""
        return "an object" if self.ids else "an array"


def enveloped_rows(
    stream: BinaryIO, ahead: bytes, line: int, way: Way
) -> Iterator[tuple[int, bytes]]:
    """Yields the rows of one file one by one, each with the line where it begins.

    `ahead` is what was read of the stream before, without a byte-order mark, and `line` the number
    of its first line.

    Raises: HeaderMismatch when the path leads to something else, or a key of it stands twice;
    TruncatedFile when the file is cut; MisshapenRow when it is no JSON, or text follows it.
    """
    envelope = _Envelope(JsonText(stream, ahead, line), way)
    text = envelope.text
    envelope.enter()
    elements = (Members if way.ids else Elements)(stream, text.rest(), text.line)
    if way.ids is None:
        yield from elements.elements()
    else:
        for at, member in elements.elements():
            yield at, way.ids.record(member, at)
    text.go_on(elements.rest, elements.line)
    envelope.leave()


def rows_of_many(
    stream: BinaryIO, ahead: bytes, line: int, way: Way
) -> Iterator[tuple[int, bytes]]:
    """Yields the rows of objects that follow one another; see `enveloped_rows`."""
    for at, raw in Values(stream, ahead, line).elements():
        if len(raw) > LONGEST_ROW:
            raise MisshapenRow(
                "one of the objects that hold the rows is too long",
                expected=f"at most {LONGEST_ROW >> 20} MiB for each, where several are in a file",
                do="ask the sender for one file for each object",
            ).at(line=at)
        yield from enveloped_rows(BytesIO(), raw, at, way)


def spelt(path: Sequence[str]) -> str:
    """Returns a path as a feed has it: a list, where a key has a dot."""
    has_dot = any("." in step or not step for step in path)
    return json.dumps(list(path), ensure_ascii=False) if has_dot else ".".join(path)


class _Envelope:
    """The objects that a path leads through."""

    def __init__(self, text: JsonText, way: Way) -> None:
        self.text, self._path, self._kind = text, way.path, way.kind
        self._option = "format.ids" if way.ids else "format.rows"

    def enter(self) -> None:
        """Goes to the bracket of the array, or of the object with the rows."""
        for depth, step in enumerate(self._path):
            self._check_kind(depth, "an object")
            self.text.take(b"{")
            self._go_to(step, depth)
        self._check_kind(len(self._path), self._kind)

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
        shown = ", ".join(map(repr, self._first_keys())) if kind == "an object" else ""
        by = f", by rows: {spelt(self._path)}" if self._path else ""
        raise HeaderMismatch(
            f"{self._option} leads to no {self._kind.split()[1]}: {what} holds {kind}",
            found=f"{kind} with the keys {shown}" if shown else kind,
            expected=expected + by,
            do=self._way_from(kind, depth),
        ).at(line=self.text.line)

    def _way_from(self, kind: str, depth: int) -> str:
        """Says what to do where a step leads to another kind than it must."""
        if depth == len(self._path) and self._kind == "an object" and kind == "an array":
            return "leave out format.ids: the rows are in an array, without ids"
        if depth == len(self._path) and kind == "an object":
            return f"write ids: and a column for them, if these keys are the rows' ids; else {ASK}"
        if kind == "an array" and not depth:
            return "leave out format.rows: the rows are on top"
        if kind == "an array":
            return f"write rows: {spelt(self._path[:depth])}, if its elements are the rows"
        return ASK.replace("format.rows", self._option)

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
            expected=f"{self._kind}, by rows: {spelt(self._path)}",
            do="leave out format.rows: the file has one object a line" if is_one_a_line else ASK,
        )
        return error.at(line=self.text.line)

    def _twice(self, depth: int) -> LandfallError:
        return HeaderMismatch(
            f"the key {spelt(self._path[: depth + 1])} stands twice in the file, and format.rows"
            f" leads to {self._kind.replace('an ', 'one ')}",
            expected=f"{self._kind.replace('an ', 'one ')} with all rows",
            do="ask the sender for another file",
        ).at(line=self.text.line)

    def _more_follows(self) -> LandfallError:
        do = "ask the sender for a file without it"
        if self.text.peek() == b"{":
            do = (
                "write objects: concatenated, if each object holds rows there; leave out"
                f" {self._option}, if each line is a row"
            )
        return MisshapenRow(
            "text follows the JSON object that holds the rows",
            found=self.text.rest()[:100].decode(errors="backslashreplace"),
            expected=f"one object in the file, by {self._option}",
            do=do,
        ).at(line=self.text.line)
