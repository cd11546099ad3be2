"""Infers the types of new columns, over all of a file's rows: text when one cell is in doubt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from include.landfall.contract import NEW_LABEL
from include.landfall.feed.column_types import parse_type
from include.landfall.feed.dialect import AS_POSTGRES, Spelling
from include.landfall.job import PlannedColumn
from include.landfall.read.casts.columns import cast_texts
from include.landfall.read.casts.own_json import holds_others
from include.landfall.read.casts.own_types import is_binary, is_list, is_text
from include.landfall.read.casts.types import DATE, FAST_CASTS, TIMESTAMP, TIMESTAMPTZ
from include.landfall.read.rows import Rows
from include.landfall.read.spelling import Step, spelt_as

TEXT, JSON = "text", "jsonb"
# A number with a leading zero is a code, and its zero would be lost. More than 18 digits may not
# fit a bigint.
WHOLE = r"^(0|-?[1-9]\d{0,17})$"
NUMBER = r"^-?(0|[1-9]\d*)(\.\d+)?$"
FLOAT = r"^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$"
BOOLEAN = r"^(true|false)$"
# The narrowest first.
FORMS = {
    "bigint": WHOLE,
    "numeric": NUMBER,
    "double precision": FLOAT,
    "boolean": BOOLEAN,
    "date": DATE,
    "timestamp": TIMESTAMP,
    "timestamptz": TIMESTAMPTZ,
}
OWN = {
    pa.bool_(): "boolean",
    pa.int8(): "smallint",
    pa.int16(): "smallint",
    pa.uint8(): "smallint",
    pa.int32(): "integer",
    pa.uint16(): "integer",
    pa.int64(): "bigint",
    pa.uint32(): "bigint",
    pa.uint64(): "numeric(20,0)",
    pa.float16(): "real",
    pa.float32(): "real",
    pa.float64(): "double precision",
    pa.date32(): "date",
    pa.date64(): "date",
}


def infer_types(
    stretches: Iterable[Rows], names: Sequence[str], spelling: Spelling = AS_POSTGRES
) -> dict[str, str]:
    """Returns a type for each new column. `stretches` are all rows of the file."""
    spelt = {name: spelt_as(PlannedColumn("", parse_type(name)), spelling) for name in FORMS}
    guesses = {name: _Guess(spelt) for name in names}
    own: dict[str, str] = {}
    for rows in stretches:
        for name in names:
            values = rows.batch.column(NEW_LABEL + name)
            if is_text(values.type) or pa.types.is_null(values.type):
                guesses[name].add(values.cast(pa.string()))
            else:
                own[name] = own_type(values.type)
    return {name: own.get(name) or guesses[name].type for name in names}


class _Guess:
    """The types that all texts of a column have so far, each text as the load would spell it."""

    def __init__(self, spelt: Mapping[str, Step]) -> None:
        self._spelt = dict(spelt)
        self._is_empty = True

    def add(self, texts: pa.Array) -> None:
        for name in list(self._spelt):
            values = self._spelt[name](texts)
            self._is_empty &= values.null_count == len(values)
            if not _are_all(values, name, FORMS[name]):
                del self._spelt[name]

    @property
    def type(self) -> str:
        """The narrowest of the types; text where there is none, or no text at all."""
        return TEXT if self._is_empty else next(iter(self._spelt), TEXT)


def _are_all(texts: pa.Array, name: str, form: str) -> bool:
    if pc.all(pc.match_substring_regex(texts, form)).as_py() is False:
        return False
    if name not in FAST_CASTS:  # numeric: the form says it all
        return True
    suspects = cast_texts(texts, FAST_CASTS[name])[1]  # such as the 30th of February
    return suspects is None or not pc.any(suspects).as_py()


def own_type(own: pa.DataType) -> str:
    """Returns the type for a column whose file has types of its own; text where there is none."""
    if pa.types.is_decimal(own):
        return f"numeric({own.precision},{own.scale})"
    if pa.types.is_timestamp(own):
        return "timestamptz" if own.tz else "timestamp"
    if pa.types.is_time(own):
        return "time"
    if pa.types.is_duration(own):
        return "interval"
    if is_binary(own):
        return "bytea"
    if holds_others(own):
        return "jsonb"
    if is_list(own):
        element = own_type(own.value_type)
        is_deep = element == "jsonb" or element.endswith("[]")
        return "jsonb" if is_deep else f"{element}[]"
    return OWN.get(own, TEXT)
