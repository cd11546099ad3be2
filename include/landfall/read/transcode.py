"""Turns a stream of text in any encoding into UTF-8, which is what every reader of text takes."""

from __future__ import annotations

import codecs
import re
from typing import BinaryIO, cast

from include.landfall.errors import MisshapenRow

CHUNK_BYTES = 1 << 18
# Files of mainframes (EBCDIC: cp037, cp500, cp1140) end their lines with NEL, and few with LF.
EBCDIC_LF, NEL = b"\x25", "\x85"
# What a byte that is no text becomes: UTF-8 has no such sequence, so its row is rejected.
_NO_TEXT = re.compile(r"\\xed\\x(b[23])\\x([89ab][0-9a-f])")


def as_utf8(stream: BinaryIO, encoding: str) -> BinaryIO:
    """Returns the stream itself where it is UTF-8, or one that reads it as UTF-8."""
    if encoding == "utf-8":
        return stream
    return cast(BinaryIO, Transcoded(stream, encoding))


class Transcoded:
    """A stream as UTF-8. A byte that is no text becomes a sequence that UTF-8 does not have."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._stream, self._encoding = stream, encoding
        # UTF-16 and UTF-32 have units of several bytes, of which surrogates alone can be wrong.
        wide = encoding.startswith(("utf-16", "utf-32"))
        errors = "surrogatepass" if wide else "surrogateescape"
        self._decoder = codecs.getincrementaldecoder(encoding)(errors)
        self._ends_with_nel = "\n".encode(encoding) == EBCDIC_LF
        self._ready, self._offset, self._ended = bytearray(), 0, False

    def read(self, size: int = -1) -> bytes:
        """Reads so many bytes of UTF-8, or less at the end.

        Raises: MisshapenRow with the offset when the encoding itself is broken.
        """
        while not self._ended and (size < 0 or len(self._ready) < size):
            self._ready += self._next()
        end = len(self._ready) if size < 0 else size
        data = bytes(self._ready[:end])
        del self._ready[:end]
        return data

    def _next(self) -> bytes:
        data = self._stream.read(CHUNK_BYTES)
        self._ended = not data
        try:
            text = self._decoder.decode(data, final=self._ended)
        except UnicodeError as error:
            raise self._broken(error) from None
        self._offset += len(data)
        if self._ends_with_nel:
            text = text.replace(NEL, "\n")
        return text.encode("utf-8", "surrogatepass")

    def _broken(self, error: UnicodeError) -> MisshapenRow:
        at = self._offset + max(0, getattr(error, "start", 0))
        return MisshapenRow(
            f"the file is not {self._encoding} text from byte {at:,} on",
            found=getattr(error, "reason", str(error)),
            expected=f"encoding: {self._encoding}",
            do="name the file's own encoding in the feed, or ask the sender for the whole file",
        )


def original_bytes(text: str) -> str:
    r"""Returns the text with the file's own byte, as \x and digits, where one was no text."""

    def byte(match: re.Match[str]) -> str:
        high, low = int(match[1], 16), int(match[2], 16)
        return f"\\x{((high & 1) << 6) + (low & 0x3F) + 0x80:02x}"

    return _NO_TEXT.sub(byte, text)
