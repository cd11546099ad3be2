"""Goes through JSON text of any length in bounded memory, and checks that it is JSON.

Whole runs of values are passed over by one match each, so that a file whose rows begin late costs
little more than reading it.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import BinaryIO

from include.landfall.errors import MisshapenRow, TruncatedFile
from include.landfall.job import BLOCK_BYTES

_CHARACTERS = rb'[^"\\\x00-\x1f]*+'
_ESCAPE = rb'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})'
_INSIDE_TEXT = rb"%b(?:%b%b)*+" % (_CHARACTERS, _ESCAPE, _CHARACTERS)
_TEXT = rb'"%b"' % _INSIDE_TEXT
# A number ends where something else begins: what was read may end within it.
_NUMBER = rb"-?+(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?+[0-9]++)?+(?=[ \t\r\n,\]}])"
_SPACES = rb"[ \t\r\n]*+"
_SCALAR = rb"(?:%b|%b|true|false|null)" % (_TEXT, _NUMBER)


# Behind a value: a comma that another one follows, or the end of its array or object.
_NEXT = rb"(?:,(?!%b[\]}])|(?=[\]}]))" % _SPACES
DEPTH = 5  # of brackets that one match takes


def _item(value: bytes) -> bytes:
    return _SPACES + value + _SPACES


def _member(value: bytes) -> bytes:
    return _SPACES + _TEXT + _SPACES + b":" + _item(value)


def nested_pattern(depth: int) -> bytes:
    """Returns the pattern of a value whose brackets are at most so deep."""
    if not depth:
        return _SCALAR
    value = nested_pattern(depth - 1)
    array = rb"\[(?:%b%b)*+%b\]" % (_item(value), _NEXT, _SPACES)
    members = rb"\{(?:%b%b)*+%b\}" % (_member(value), _NEXT, _SPACES)
    return rb"(?:%b|%b|%b)" % (_SCALAR, array, members)


def key_pattern() -> bytes:
    """Returns the pattern of a key with its colon, and the spaces behind that."""
    return _TEXT + _SPACES + b":" + _SPACES


@cache
def _run(begin: bytes) -> re.Pattern[bytes]:
    """Returns the pattern of values of an array, or members of an object, that a comma follows.

    It is made when it is first needed, because that takes a while.
    """
    part = (_item if begin == b"[" else _member)(nested_pattern(DEPTH))
    return re.compile(rb"(?:%b,)*+" % part)


_SPACE = re.compile(_SPACES)
_REST_OF_TEXT = re.compile(_INSIDE_TEXT)
_PLAIN = re.compile(rb"(?:%b|true|false|null)" % _NUMBER)
_PLAIN_END = re.compile(rb"[ \t\r\n,\]}]")
LONGEST_ESCAPE = len("\\u0000")
LONGEST_KEY = 1 << 16  # of those that are looked at
LONGEST_NUMBER = 1 << 16
CLOSING = {b"[": b"]", b"{": b"}"}
DEEPEST = 100_000  # of brackets, one within another: no parser takes so many
DO = "ask the sender for the file again; its new version is a new arrival"
KINDS = {b"[": "an array", b"{": "an object", b'"': "a text", b"t": "true", b"f": "false"}
KINDS |= {b"n": "null", **dict.fromkeys((b"%d" % digit for digit in range(10)), "a number")}
KINDS |= {b"-": "a number"}


class JsonText:
    """A place in JSON text. Only what follows the place is kept, and of that a block."""

    def __init__(self, stream: BinaryIO, ahead: bytes, line: int = 1) -> None:
        self._stream, self._data, self._at = stream, ahead, 0
        self._line = line  # the first of the data

    @property
    def line(self) -> int:
        """The line of the place, from 1."""
        return self._line + self._data.count(b"\n", 0, self._at)

    def rest(self) -> bytes:
        """Takes what was read of the stream and follows the place."""
        self._line, rest = self.line, self._data[self._at :]
        self._data, self._at = b"", 0
        return rest

    def go_on(self, rest: bytes, line: int) -> None:
        """Goes on where another reader of the stream has come to."""
        self._data, self._at, self._line = rest, 0, line

    def peek(self) -> bytes:
        """Passes over spaces, and returns the byte at the place; none at the end of the file."""
        while True:
            self._at = self._behind(_SPACE)
            if self._at < len(self._data) or not self._more():
                return self._data[self._at : self._at + 1]

    def kind(self) -> str:
        """Returns what kind of value begins at the place.

        Raises: MisshapenRow when none does, TruncatedFile at the end of the file.
        """
        if self.peek() not in KINDS:
            raise self.broken("a value")
        return KINDS[self.peek()]

    def take(self, *tokens: bytes) -> bytes:
        """Passes over one of these bytes, and returns it.

        Raises: MisshapenRow when there is another one, TruncatedFile when there is none.
        """
        token = self.peek()
        if token not in tokens or not token:
            raise self.broken(" or ".join(map(bytes.decode, tokens)))
        self._at += 1
        return token

    def key(self) -> str:
        """Passes over a key and its colon, and returns it; of a very long one the beginning.

        Raises: MisshapenRow, TruncatedFile.
        """
        if self.peek() != b'"':
            raise self.broken("a key in double quotes")
        text = self._pass_text()
        self.take(b":")
        try:
            return str(json.loads(text))
        except ValueError:  # it was cut, or is no UTF-8
            return text[1:LONGEST_KEY].decode("utf-8", "backslashreplace")

    def pass_over(self) -> None:
        """Passes over a value, and checks that it is JSON.

        Raises: MisshapenRow, TruncatedFile.
        """
        opened = bytearray()
        while True:
            begin = self.peek()
            if begin in CLOSING:
                self._at += 1
                opened += begin
                self._check_depth(len(opened))
                if self.peek() != CLOSING[begin]:
                    self._pass_run(begin)
                    continue
            else:
                self._pass_scalar(begin)
            if not self._close(opened):
                return

    def _close(self, opened: bytearray) -> bool:
        """Passes over what closes brackets behind a value. Returns whether one stays open."""
        while opened:
            begin = bytes(opened[-1:])
            if self.take(b",", CLOSING[begin]) == b",":
                self._pass_run(begin)
                return True
            opened.pop()
        return False

    def _pass_run(self, begin: bytes) -> None:
        """Passes over values that a comma follows, and then over the key of the next one."""
        self._at = self._behind(_run(begin))
        if begin == b"{":
            self.key()

    def _pass_scalar(self, begin: bytes) -> None:
        if begin == b'"':
            self._pass_text()
            return
        while not (match := _PLAIN.match(self._data, self._at)):
            left = len(self._data) - self._at
            if left > LONGEST_NUMBER or _PLAIN_END.search(self._data, self._at):
                raise self.broken("a value")
            if not self._more():
                raise self.broken("a value") if not self._is_cut() else self._truncated()
        self._at = match.end()

    def _is_cut(self) -> bool:
        """Returns whether the data ends within a number, or one of true, false and null."""
        left = self._data[self._at :]
        words = (b"true", b"false", b"null")
        return left[:1] in b"-0123456789" or any(word.startswith(left) for word in words)

    def _pass_text(self) -> bytes:
        """Passes over a text. Returns it with its quotes; of a very long one the beginning."""
        start, self._at = self._at, self._at + 1
        text = b""
        while True:
            self._at = self._behind(_REST_OF_TEXT)
            if self._data[self._at : self._at + 1] == b'"':
                self._at += 1
                return (text + self._data[start : self._at])[:LONGEST_KEY]
            text = (text + self._data[start : self._at])[:LONGEST_KEY]
            if len(self._data) - self._at >= LONGEST_ESCAPE:
                raise self.broken("a text without control characters and unknown escapes")
            if not self._more():
                raise self._truncated()
            start = 0

    def _behind(self, pattern: re.Pattern[bytes]) -> int:
        match = pattern.match(self._data, self._at)
        assert match is not None  # each of these patterns takes nothing, too
        return match.end()

    def _more(self) -> bytes:
        """Reads on. Returns nothing at the end of the file."""
        chunk = self._stream.read(BLOCK_BYTES)
        self._line = self.line
        self._data, self._at = self._data[self._at :] + chunk, 0
        return chunk

    def _check_depth(self, depth: int) -> None:
        if depth > DEEPEST:
            raise MisshapenRow(
                "the JSON is nested too deep",
                found=f"more than {DEEPEST:,} brackets, one within another",
                do=DO,
            ).at(line=self.line)

    def broken(self, expected: str) -> MisshapenRow | TruncatedFile:
        """Returns the error of text that is no JSON; at the end of the file that it is cut."""
        if self._at >= len(self._data):
            return self._truncated()
        shown = self._data[self._at : self._at + 60].decode(errors="backslashreplace")
        return MisshapenRow(
            "the file is no JSON",
            found=shown,
            expected=expected,
            do="ask the sender for a whole file of JSON; its new version is a new arrival",
        ).at(line=self.line)

    def _truncated(self) -> TruncatedFile:
        return TruncatedFile(
            "the file ends within its JSON",
            expected="a } at the end of the file",
            do=DO,
        ).at(line=self.line)
