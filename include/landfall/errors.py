"""The tree of errors, by whether a retry can help, and the form of their messages.

Every error says which feed, object, line and column, what was found, what was expected and
what to do, as far as these are known. `str(error)` is the whole message that a person reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Self

FOUND_LIMIT = 400  # a server's reason, such as AWS's, has two names of 100 characters
WHAT_LIMIT = 1000
BRIEF_LIMIT = 200  # of an error among others, and of what it found


@dataclass(frozen=True)
class Place:
    """Where an error is. `file` is a feed's own file; `line` counts physical lines from 1.

    `member` is the member of a zip file of several; `line` and `row` are then those of the member.
    """

    file: str | None = None
    feed: str | None = None
    object: str | None = None
    member: str | None = None
    line: int | None = None
    row: int | None = None
    column: str | None = None


class LandfallError(Exception):
    """The root of the tree. `exit_code` is what the command line ends with."""

    retryable = False
    exit_code = 1
    is_one_line = True  # what others sent can begin no further line of the message

    def __init__(
        self,
        what: str,
        *,
        found: str | None = None,
        expected: str | None = None,
        do: str | None = None,
        place: Place | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.found = found
        self.expected = expected
        self.do = do
        self.place = place or Place()
        self.more: list[tuple[str, str]] = []  # further facts by name

    def at(self, **where: str | int | None) -> Self:
        """Fills in what the error's place does not say yet, and returns the error."""
        missing = {name: v for name, v in where.items() if getattr(self.place, name) is None}
        self.place = replace(self.place, **missing)  # type: ignore[arg-type]
        return self

    def __str__(self) -> str:
        # The server's words may quote a long cell.
        lines = [shorten(escaped(self.what), WHAT_LIMIT) if self.is_one_line else self.what]
        facts = {f.name: getattr(self.place, f.name) for f in fields(self.place)}
        facts |= {"found": self.found and shorten(self.found), "expected": self.expected}
        pairs = [*facts.items(), *self.more]
        lines += [f"  {name}: {printable(v)}" for name, v in pairs if v is not None]
        if self.do:
            lines.append(f"  what to do: {escaped(self.do)}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross a pipe from the reading process: keyword arguments must survive pickling.
        return (_revive, (type(self), self.__dict__ | {"what": self.what}))


def _revive(error_class: type[LandfallError], state: dict[str, object]) -> LandfallError:
    error = error_class(str(state["what"]))
    error.__dict__.update(state)
    return error


def printable(value: object) -> str:
    """Returns the value so that it can forge no line of a log."""
    text = str(value)
    return text if text.isprintable() else repr(text)


def escaped(line: str) -> str:
    """Returns the line with what is not printable spelt out, so that it stays one line."""
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def shorten(text: str, limit: int = FOUND_LIMIT) -> str:
    """Returns the text as one printable line of at most `limit` characters."""
    shown = printable(text)
    return shown if len(shown) <= limit else f"{shown[:limit]}… ({len(text)} characters)"


def shortened(text: str, most: int) -> str:
    """Returns the text as one line of at most so many characters: a long one lacks its middle."""
    line = printable(text)
    end = most // 2
    return line if len(line) <= most else f"{line[: most - end - 1]}…{line[-end:]}"


class TransientError(LandfallError):
    """A retry can help: the network, a server that is away, a broken connection."""

    retryable = True
    exit_code = 75  # EX_TEMPFAIL of sysexits.h


class TerminalError(LandfallError):
    """A retry cannot help: somebody must change the file, the feed or a right."""


class FeedError(TerminalError):
    """The feed's file is wrong, or does not fit its target."""

    exit_code = 2


class WrongUse(TerminalError):
    """A command has options that do not go together.

    Or it names something that is not there: a file on this machine, or the id of a row.
    """

    exit_code = 2


class ConnectionUnusable(TerminalError):
    """A connection is missing or wrong, or its server refused the key, password or a right."""

    exit_code = 3


class ServerUnavailable(TransientError):
    """A server could not be reached or could not go on, or the connection to it broke."""


class ObjectMissing(TerminalError):
    """There is no such bucket, or no such object that can be read."""

    exit_code = 4


class ObjectChanged(TransientError):
    """The object is no longer the version that was listed. A new listing finds the new one."""


class DataError(TerminalError):
    """The file's content is wrong: the archive, a row or a cell."""

    exit_code = 5
    rejection: object = None  # a write.budget.Rejection, where rejected rows are the reason


class FilesLate(TerminalError):
    """No new file of a feed has come, or been taken, for longer than its feed allows."""

    exit_code = 6


class DuplicateContent(DataError):
    """A file with the content of another one that is loaded, where the feed refuses it."""

    duplicate_of: int | None = None  # the load that brought the content


class TruncatedFile(DataError):
    """An archive or a Parquet file that ends before its end, or is corrupt."""


class MisshapenRow(DataError):
    """A row that cannot be read: too few or too many fields, wrong bytes."""


class HeaderMismatch(DataError):
    """The file's columns are not the feed's."""


class RefusedCell(DataError):
    """A cell, or a row, that Postgres refuses."""


# Errors of one file, which stop no other. A refused connection or feed stops them all.
OF_ONE_FILE = (DataError, ObjectMissing, ObjectChanged)


def failures_of(errors: Iterable[LandfallError]) -> list[dict[str, str]]:
    """Returns each error in one line, and its cause where other files and tasks meet it too."""
    return [
        {
            "text": _in_one_line(error),
            "cause": "" if isinstance(error, OF_ONE_FILE) else _brief(error),
        }
        for error in errors
    ]


def _in_one_line(error: LandfallError) -> str:
    place = error.place
    facts = ("", place.object), ("line ", place.line), ("column ", place.column)
    where = [f"{name}{printable(value)}" for name, value in facts if value is not None]
    return f"{', '.join(where)}{': ' if where else ''}{_brief(error)}"


def _brief(error: LandfallError) -> str:
    what = shorten(error.what, BRIEF_LIMIT)
    return (
        what
        if not error.found or error.found in what
        else f"{what}: {shorten(error.found, BRIEF_LIMIT)}"
    )
