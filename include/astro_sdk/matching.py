"""The columns of a file beside those of its table: names as pandas gives them, and what fits."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

from .quoting import cut

log = logging.getLogger(__name__)


def pandas_names(header: Sequence[str]) -> list[str]:
    """Returns the names of a CSV file's columns as pandas does.

    One without a name is `Unnamed: ` and its place, from 0; of equal names the second is `a.1`.
    """
    named = [name or f"Unnamed: {place}" for place, name in enumerate(header)]
    taken, repeats = set(named), Counter[str]()
    names: list[str] = []
    for name in named:
        own = name
        while own in names or (own != name and own in taken):
            repeats[name] += 1
            own = f"{name}.{repeats[name]}"
        names.append(own)
    return names


def kept_names(names: Sequence[str]) -> list[str]:
    """Returns the names of a file's columns as Postgres keeps them, cut to 63 bytes.

    Raises: ValueError when two of them are one name then.
    """
    kept = [cut(name) for name in names]
    twice = [name for name, number in Counter(kept).items() if name and number > 1]
    if twice and len(set(names)) == len(names):
        raise ValueError(
            f"two columns begin with the same 63 bytes, and Postgres keeps no more: {twice[0]}."
            " What to do: give the columns shorter names"
        )
    return kept


def match(names: Sequence[str], columns: Sequence[str]) -> list[str]:
    """Returns the table's column for each column of a file; its own name where none fits.

    A column fits by its exact name, else by its name in another case. Where no column fits and
    there are as many as the table has, they go by position, as all did in the Astro SDK.
    """
    folded = {column.lower(): column for column in columns if _is_unique(column, columns)}
    matched = [name if name in columns else folded.get(name.lower(), name) for name in names]
    if len(set(matched)) < len(matched):  # `a` and `A` are two columns of the file
        matched = list(names)
    present = [name for name in matched if name]
    if any(name in columns for name in present) or len(present) != len(columns):
        return matched
    log.warning("no name of the file is one of the table's, so columns go by position: %s to %s",
                ", ".join(present), ", ".join(columns))  # fmt: skip
    places = iter(columns)
    return [next(places) if name else "" for name in matched]


def _is_unique(name: str, names: Sequence[str]) -> bool:
    return sum(other.lower() == name.lower() for other in names) == 1
