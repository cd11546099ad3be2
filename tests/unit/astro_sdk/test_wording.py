"""An error of a table without a feed must not send its reader to a feed."""

from __future__ import annotations

import pytest

from include.astro_sdk.wording import in_words_of_tables
from include.landfall.errors import FeedError, HeaderMismatch, LandfallError

ERRORS: list[LandfallError] = [
    FeedError("the feed does not fit its target", found='schema "x" does not exist'),
    FeedError("s.t is a view", do="name a table in the feed"),
    HeaderMismatch(
        "the file's columns are not the feed's", found="missing: 'a'; not in the feed: 'b'",
        do="allow the departure under contract:",
    ),
    HeaderMismatch("a column of the file is of another type than the feed's", found="int64"),
]  # fmt: skip


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.what)
def test_an_error_speaks_of_the_table(error: LandfallError) -> None:
    with pytest.raises(type(error)) as raised, in_words_of_tables():
        raise error
    message = str(raised.value)
    assert "feed" not in message
    assert "contract" not in message
    assert not error.found or error.found.partition(";")[0] in message


def test_a_cell_with_these_words_is_quoted_as_it_is() -> None:
    with pytest.raises(FeedError, match="in the feed"), in_words_of_tables():
        raise FeedError("Postgres refuses a cell", found="in the feed")
