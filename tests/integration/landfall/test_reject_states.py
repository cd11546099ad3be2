"""At which number of rejects a file is refused, and what becomes of them when it comes again."""

from __future__ import annotations

from contextlib import nullcontext, suppress

import pytest

from include.landfall.errors import DataError

HALF_BAD = "id,name\n1,a\nx,b\n3,c\ny,d\n"
STATES = "SELECT state FROM landfall.rejects ORDER BY reject_id"


@pytest.mark.parametrize(("at_most", "is_loaded"), [
    (1, False), (2, True), ("49.9%", False), ("50%", True),
    ([2, "49%"], False), ([1, "50%"], False), ([2, "50%"], True),
])  # fmt: skip
def test_a_file_with_exactly_as_many_rejects_as_the_feed_takes_is_loaded(
    engine, at_most, is_loaded
):
    engine.be(rejects={"at_most": at_most})
    with nullcontext() if is_loaded else pytest.raises(DataError):
        engine.load(HALF_BAD)
    assert engine.statuses() == ["loaded" if is_loaded else "failed"]


def test_a_file_that_is_refused_twice_has_its_samples_once(engine):
    for _ in range(2):
        with pytest.raises(DataError):
            engine.load(HALF_BAD)
    assert engine.sql(STATES) == ["sample"] * 2


NULLING = {"id": {"type": "integer", "on_bad_cell": "null"}, "name": "text"}


@pytest.mark.parametrize(("columns", "at_most", "states"), [
    ({}, 0, ["superseded"] * 2 + ["open"] * 2),  # samples of a file that was refused
    ({}, 2, ["superseded"] * 2 + ["open"] * 2),
    ({"columns": NULLING}, 0, ["superseded"] * 2 + ["nulled"] * 2),
])  # fmt: skip
def test_what_was_refused_of_a_file_is_closed_when_it_is_loaded_again(
    engine, columns, at_most, states
):
    """Else a person, and a replay, would meet each row twice."""
    arrival = engine.put(HALF_BAD)
    with suppress(DataError):
        engine.be(rejects={"at_most": at_most}, **columns).load(arrival)
    engine.be(rejects={"at_most": 2}, **columns).load(arrival, force=True)
    assert engine.sql(STATES) == states
