"""Cuts the text of a row that is no proper record as far as it goes, for a person to edit."""

from __future__ import annotations

import re

from include.landfall.feed.dialect import CsvDialect, Dialect
from include.landfall.feed.model import Feed


def cells_of(text: str, feed: Feed) -> list[str | None]:
    """Returns the fields of a row's text at the places of the feed's columns, as far as they go.

    What is not in the file has no field, and NULL as its cell. Fields beyond the columns follow.
    """
    cells, fields = [], fields_of(text, feed.format.dialect())
    for name, column in feed.columns.items():
        if not fields:
            break
        cell = fields.pop(0) if name in feed.order else None
        if not column.ignore:
            cells.append(cell)
    return [*cells, *fields]


def fields_of(text: str, dialect: Dialect) -> list[str | None]:
    """Returns the fields of a row's text, NULL as None; none where the format has no text.

    It takes every text: a quote may stay open, and what follows a closing quote belongs to the
    field. So it is only for showing, never for loading.
    """
    if not isinstance(dialect, CsvDialect):
        return []
    fields: list[str | None] = []
    field, position = _field(dialect), 0
    text = text.strip(" \t") if dialect.blanks else text
    while match := field.match(text, position):
        fields.append(_value(match, dialect))
        position = match.end()
        if not match["end"]:
            break
    return fields


def _field(dialect: CsvDialect) -> re.Pattern[str]:
    quote = re.escape(dialect.quote)
    delimiter = "[ \t]+" if dialect.blanks else re.escape(dialect.delimiter)
    inside = rf"(?:\\.|[^{quote}])" if dialect.escape == "backslash" else rf"[^{quote}]"
    quoted = rf"{quote}(?P<quoted>(?:{inside}|{quote}{quote})*)(?:{quote}|\Z)"
    if not quote:
        quoted = "(?P<quoted>(?!))"  # matches nothing
    return re.compile(rf"(?:{quoted})?(?P<rest>.*?)(?P<end>{delimiter}|\Z)", re.DOTALL)


def _value(match: re.Match[str], dialect: CsvDialect) -> str | None:
    if match["quoted"] is None:
        is_null = not match["rest"] or match["rest"] in dialect.nulls
        return None if is_null else match["rest"]
    quoted: str = match["quoted"]
    if dialect.escape == "backslash":
        return re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL) + match["rest"]
    return quoted.replace(dialect.quote * 2, dialect.quote) + match["rest"]
