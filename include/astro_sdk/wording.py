"""The engine's errors for somebody who has no feed, only a table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from include.landfall.errors import HeaderMismatch, LandfallError

WORDS = {
    "the feed does not fit its target": "the database refuses the statement or the table",
    "the feed's": "the table's",
    "not in the feed": "not in the table",
    "in the feed": "in the table",
}
COLUMNS = (
    "load a file whose columns and types are the table's, or declare those of the file:"
    " Table(columns=[Column(...)])"
)


@contextmanager
def in_words_of_tables() -> Iterator[None]:
    """Lets an error of the engine speak of the table where it speaks of a feed.

    Raises: the same LandfallError.
    """
    try:
        yield
    except LandfallError as error:
        error.what = _of_tables(error.what)
        error.do = error.do and _of_tables(error.do)
        if isinstance(error, HeaderMismatch) and error.found:
            error.found = _of_tables(error.found)
            error.do = COLUMNS
        raise


def _of_tables(text: str) -> str:
    for feed, table in WORDS.items():
        text = text.replace(feed, table)
    return text
