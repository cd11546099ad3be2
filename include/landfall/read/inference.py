"""Infers the types of new columns, over all of a file's rows: text when one cell is in doubt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from include.landfall.contract import NEW_LABEL
from include.landfall.read.casts.columns import cast_texts
from include.landfall.read.casts.own_json import holds_others
from include.landfall.read.casts.own_types import is_binary, is_text
from include.landfall.read.casts.types import DATE, FAST_CASTS, TIMESTAMP, TIMESTAMPTZ
from include.landfall.read.rows import Rows

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


def infer_types(stretches: Iterable[Rows], names: Sequence[str]) -> dict[str, str]:
    """Returns a type for each new column. `stretches` are all rows of the file."""
    forms = {name: dict(FORMS) for name in names}
    own: dict[str, str] = {}
    are_empty = set(names)
    for rows in stretches:
        for name in names:
            values = rows.batch.column(NEW_LABEL + name)
            if values.null_count < len(values):
                are_empty.discard(name)
            if is_text(values.type) or pa.types.is_null(values.type):
                forms[name] = _remaining(values, forms[name])
            else:
                own[name] = own_type(values.type)
    return {
        name: own.get(name) or (TEXT if name in are_empty else next(iter(forms[name]), TEXT))
        for name in names
    }


def _remaining(texts: pa.Array, forms: dict[str, str]) -> dict[str, str]:
    """Returns the forms that all of the texts have too."""
    texts = texts.cast(pa.string())
    return {name: form for name, form in forms.items() if _are_all(texts, name, form)}


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
    if pa.types.is_list(own) or pa.types.is_large_list(own):
        element = own_type(own.value_type)
        return "jsonb" if element == "jsonb" else f"{element}[]"
    return OWN.get(own, TEXT)
