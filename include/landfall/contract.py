"""The contract: the file's columns against the feed's. Pure: it reads no file and no database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import NamedTuple

from include.landfall.errors import HeaderMismatch

NEW_LABEL = "_load_new:"  # before the name of a new column that is read; no feed's column has it


class What(StrEnum):
    """What a row of `landfall.changes` is: a departure of a file, or a change of the table."""

    NEW_COLUMN = "new column"
    MISSING_COLUMN = "missing column"
    OTHER_NAME = "other name"
    COLUMN_ADDED = "column added"
    TYPE_WIDENED = "type widened"
    ROWS_PADDED = "rows padded"
    CELLS_NULLED = "cells nulled"
    ROWS_GONE = "rows gone"
    ABSENT_KEPT = "absent keys kept"


class Change(NamedTuple):
    """A departure of a file from the contract, or a change of the table, as texts."""

    what: str
    column: str | None
    before: str | None
    after: str | None


class IfMissing(StrEnum):
    """What happens to a column that the file lacks."""

    REFUSE = "refuse"
    NULL = "null"
    DEFAULT = "default"  # the load leaves the column out
    TABLE_ONLY = "table only"  # as DEFAULT, but no departure: the feed does not have the column


@dataclass(frozen=True)
class Expected:
    """A column that the feed or the table expects of the file."""

    name: str
    other_names: tuple[str, ...] = ()
    if_missing: IfMissing = IfMissing.REFUSE


@dataclass(frozen=True)
class Rules:
    """How names are compared, and what becomes of the other columns of the file.

    `new_columns` is refuse, ignore, rescue or evolve. `ignored` are in the file and not in the
    table. `rescue` is the column for what is rescued.
    """

    new_columns: str = "refuse"
    ignores_case: bool = False
    trims: bool = False
    pads: bool = False
    rescue: str | None = None
    ignored: tuple[Expected, ...] = ()

    def folded(self, name: str) -> str:
        """Returns the name as it is compared with others."""
        name = name.strip() if self.trims else name
        return name.casefold() if self.ignores_case else name


STRICT = Rules()


@dataclass(frozen=True)
class Match:
    """Where the columns that are read are in the file.

    `places` are theirs among the columns of the file, from 0, `names` what the file calls them, and
    `labels` what the columns of a batch are called: the feed's names, then NEW_LABEL and a key for
    each new column that is read.
    `left_out` are the columns that get the table's default.
    """

    places: tuple[int, ...]
    labels: tuple[str, ...]
    names: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()

    def __post_init__(self) -> None:
        # A label that is missing or stands twice would lose a column without an error.
        assert len(self.places) == len(self.labels) == len(set(self.labels))

    @property
    def new(self) -> list[str]:
        """The keys of the new columns that are read."""
        return [each.removeprefix(NEW_LABEL) for each in self.labels if each.startswith(NEW_LABEL)]


def renamed(names: Sequence[str], given: Sequence[str]) -> list[str]:
    """Returns the given names in place of the file's own, or these where none are given.

    Raises: HeaderMismatch when the file has more or fewer columns.
    """
    if given and len(names) != len(given):
        raise HeaderMismatch(
            "the file's columns have changed while it was loaded",
            found=f"{len(names)} columns",
            expected=f"{len(given)} columns",
            do="load the file again",
        )
    return list(given or names)


def unique_names(names: Sequence[str]) -> list[str]:
    """Returns a name of its own for each column of a file, in order.

    A nameless column, and a second one of a name, gets its number, or the next number that makes a
    name which no other column has.
    """
    taken = {name for name in names if name.strip()}
    unique: dict[str, None] = {}  # in order
    for number, name in enumerate(names, 1):
        if not name.strip() or name in unique:
            base = name.strip() or "column"
            numbered = (f"{base}_{n}" for n in count(number))
            name = next(each for each in numbered if each not in taken)
            taken.add(name)
        unique[name] = None
    return list(unique)


def match_columns(
    names: Sequence[str], expected: Sequence[str | Expected], rules: Rules = STRICT
) -> Match:
    """Returns where the expected columns, and the new ones, are among those of the file.

    Raises: HeaderMismatch with every column that stands twice, is missing or is not in the feed.
    """
    columns = [Expected(each) if isinstance(each, str) else each for each in expected]
    header = _Header.of(names, columns, rules)
    header.check()
    labels = [column.name for column in columns if column.name in header.places]
    places = [header.places[label][0] for label in labels]
    new = header.new if rules.new_columns in {"rescue", "evolve"} else []
    return Match(
        (*places, *new),
        (*labels, *(NEW_LABEL + key for key in header.keys_of(new))),
        tuple(names[place] for place in (*places, *new)),
        tuple(c.name for c in header.missing if c.if_missing != IfMissing.NULL),
        tuple(header.changes()),
    )


def check_header(names: Sequence[str], expected: Sequence[str]) -> None:
    """Checks that the file has each of the feed's columns once, and no other, in any order.

    Raises: HeaderMismatch, as `match_columns`.
    """
    try:
        match_columns(names, expected)
    except HeaderMismatch as error:
        error.at(line=1)
        raise


@dataclass(frozen=True)
class _Header:
    """The names of a file: places of each expected column, the missing ones, the new places."""

    names: Sequence[str]
    rules: Rules
    expected: Sequence[Expected]
    places: dict[str, list[int]]
    missing: list[Expected]
    new: list[int]

    @classmethod
    def of(cls, names: Sequence[str], expected: Sequence[Expected], rules: Rules) -> _Header:
        column_of = {
            rules.folded(name): column.name
            for column in [*rules.ignored, *expected]
            for name in [*column.other_names, column.name]
        }
        ignored = {column.name for column in rules.ignored}
        places: dict[str, list[int]] = {}
        new = []
        for place, name in enumerate(names):
            column = column_of.get(rules.folded(name))
            if column is None:
                new.append(place)
            elif column not in ignored:
                places.setdefault(column, []).append(place)
        missing = [column for column in expected if column.name not in places]
        return cls(names, rules, expected, places, missing, new)

    def check(self) -> None:
        names, refuses_new = self.names, self.rules.new_columns == "refuse"
        new = [names[place] for place in self.new]
        twice = [sorted({names[p] for p in each}) for each in self.places.values() if len(each) > 1]
        if refuses_new:
            twice += [sorted(name for name, times in Counter(new).items() if times > 1)]
        departures = [
            *(("twice", each) for each in twice),
            ("missing", [c.name for c in self.missing if c.if_missing == IfMissing.REFUSE]),
            ("not in the feed", new if refuses_new else []),
        ]
        if any(each for _, each in departures):
            raise _mismatch(departures, self.expected, spells=self._spells_twice)

    @property
    def _spells_twice(self) -> bool:
        """Whether the file has two names for one column."""
        return any(len({self.names[p] for p in each}) > 1 for each in self.places.values())

    def keys_of(self, places: Sequence[int]) -> list[str]:
        """Returns a key of its own for each of these columns, which are new."""
        trims = self.rules.trims
        keys = unique_names([name.strip() if trims else name for name in self.names])
        return [keys[place] for place in places]

    def changes(self) -> list[Change]:
        """Returns the departures that the rules allow."""
        changes = [
            Change(What.OTHER_NAME, column, self.names[place], column)
            for column, (place, *_) in self.places.items()
            if self.names[place] != column
        ]
        changes += [
            Change(What.MISSING_COLUMN, column.name, None, column.if_missing)
            for column in self.missing
            if column.if_missing != IfMissing.TABLE_ONLY
        ]
        after = {"ignore": "ignored", "rescue": f"rescued into {self.rules.rescue}"}
        if outcome := after.get(self.rules.new_columns):
            keys = self.keys_of(self.new)
            changes += [Change(What.NEW_COLUMN, key, None, outcome) for key in keys]
        return changes


def _mismatch(
    departures: Sequence[tuple[str, list[str]]], columns: Sequence[Expected], *, spells: bool
) -> HeaderMismatch:
    """Returns the error. `spells` is whether the file has two names for one column."""
    do = "name the columns under columns: as the file has them, allow the departure under contract:"
    if spells:
        do = "let one name count for each column, by case: exact or without the other under from:"
    return HeaderMismatch(
        "the file's columns are not the feed's",
        found="; ".join(
            f"{what}: {', '.join(map(repr, names))}" for what, names in departures if names
        ),
        expected=", ".join(column.name for column in columns),
        do=f"{do}, or ask the sender",
    )
