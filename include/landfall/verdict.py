"""A verdict on a library's error: which of the project's errors it becomes, in which words."""

from __future__ import annotations

from dataclasses import dataclass

from include.landfall.errors import LandfallError


@dataclass(frozen=True)
class Verdict:
    """What an error of a library becomes. Its class says whether a retry can help."""

    error: type[LandfallError]
    what: str
    do: str | None = None
    expected: str | None = None


def by_name(*groups: tuple[Verdict, str]) -> dict[str, Verdict]:
    """Makes a table with a line for each name, from groups of names that share a verdict.

    Raises: ValueError when a name stands in the table twice.
    """
    table: dict[str, Verdict] = {}
    for verdict, names in groups:
        for name in names.split():
            if name in table:
                raise ValueError(f"{name} has two lines")
            table[name] = verdict
    return table
