"""How long a feed may be silent, as people write it (source.late_after)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from include.landfall.feed.duration import in_words
from include.landfall.feed.source import Source

LENGTHS = {
    "90 minutes": timedelta(minutes=90),
    "45min": timedelta(minutes=45),
    "1 hour": timedelta(hours=1),
    "26h": timedelta(hours=26),
    "26 hours": timedelta(hours=26),
    "1 Day": timedelta(days=1),
    "3d": timedelta(days=3),
    "2 weeks": timedelta(weeks=2),
}
WRONG = [26, 26.5, "26", "0 hours", "-1 day", "1.5 days", "1 month", "1 day 2 hours", "daily", ""]
WORDS = {
    timedelta(seconds=59): "less than a minute",
    timedelta(minutes=1): "1 minute",
    timedelta(hours=26): "1 day 2 hours",
    timedelta(days=2, minutes=5): "2 days",
    timedelta(hours=1, minutes=1, seconds=9): "1 hour 1 minute",
}


@pytest.mark.parametrize("text", LENGTHS)
def test_a_length_of_time_is_read_as_it_is_written(text: str) -> None:
    source = Source(bucket="landing", pattern="a/*", late_after=text)
    assert source.longest_silence == LENGTHS[text]
    assert Source.model_validate(source.model_dump(mode="json")) == source


@pytest.mark.parametrize("value", WRONG)
def test_a_length_without_a_clear_unit_is_refused_with_examples(value: object) -> None:
    """26 alone would be seconds to one person and hours to another."""
    with pytest.raises(ValidationError, match="26 hours, 3 days or 1 week"):
        Source.model_validate({"bucket": "landing", "pattern": "a/*", "late_after": value})


@pytest.mark.parametrize("length", WORDS)
def test_a_length_is_shown_in_its_two_largest_units(length: timedelta) -> None:
    assert in_words(length) == WORDS[length]
