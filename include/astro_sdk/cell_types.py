"""Types for columns of text that nobody declared: what pandas takes the cells for, but exact.

A column is boolean, bigint, numeric or double precision if every cell is written so; else it is
text. Dates stay text, as in the Astro SDK. Three things are better than in pandas, because they
lose nothing: numbers with leading zeros are codes and stay text, decimals are numeric, and integers
are integers where some are missing. `AIRFLOW__ASTRO_SDK__LOAD_FILE_TYPES=pandas` gives pandas'
types.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from airflow.sdk.configuration import conf

EXACT, PANDAS = "exact", "pandas"
# Blanks around a number are no part of it, to pandas as to Postgres.
_FLOAT = r"\s*[+-]?(?:(?:{whole})(?:\.\d*)?(?:[eE][+-]?\d{{1,3}})?|\.\d+(?:[eE][+-]?\d{{1,3}})?"
_FLOAT += r"|(?i:inf(?:inity)?))\s*"
_BOOLEAN = re.compile("true|false|TRUE|FALSE|True|False")
FORMS = {
    EXACT: {
        "boolean": _BOOLEAN,
        "bigint": re.compile(r"\s*[+-]?(?:0|[1-9]\d{0,17})\s*"),
        "numeric": re.compile(r"\s*[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)\s*"),
        "double precision": re.compile(_FLOAT.format(whole=r"0|[1-9]\d*")),
    },
    PANDAS: {
        "boolean": _BOOLEAN,
        "bigint": re.compile(r"\s*[+-]?\d{1,18}\s*"),
        "double precision": re.compile(_FLOAT.format(whole=r"\d+")),
    },
}
NUMBERS = ("bigint", "numeric", "double precision")


def chosen_types() -> str:
    """Returns which types are inferred: `exact`, or `pandas` where the setting says so.

    Raises: ValueError when the setting is neither.
    """
    choice = conf.get("astro_sdk", "load_file_types", fallback=EXACT)
    if choice not in FORMS:
        raise ValueError(f"[astro_sdk] load_file_types is exact or pandas, not {choice!r}")
    return str(choice)


def type_of(cells: Sequence[str | None], choice: str = EXACT) -> str | None:
    """Returns the narrowest type as which every cell is written; None where all are missing."""
    values = {cell for cell in cells if cell is not None}
    if not values:
        return None
    if values == {"t", "f"}:  # as Postgres writes booleans
        return "boolean"
    for type_name, form in FORMS[choice].items():
        if all(form.fullmatch(value) for value in values):
            has_gaps = choice == PANDAS and type_name == "bigint" and None in cells
            return "double precision" if has_gaps else type_name
    return "text"


def scale_of(cells: Sequence[str | None]) -> int | None:
    """Returns how many digits after the point all cells have, where it is one number for all."""
    scales = {len(cell.partition(".")[2]) for cell in cells if cell is not None}
    return scales.pop() if len(scales) == 1 else None


def wider(one: str | None, other: str | None) -> str | None:
    """Returns the narrowest type that takes the values of both."""
    if one is None or other is None or one == other:
        return one or other
    if one in NUMBERS and other in NUMBERS:
        return max(one, other, key=NUMBERS.index)
    return "text"
