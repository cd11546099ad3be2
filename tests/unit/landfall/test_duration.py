"""How long a feed may be silent, as people write it (source.late_after)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from include.landfall.feed.duration import in_words
from include.landfall.feed.source import DAYS, Source

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
WEEKEND, MIDWEEK = ["saturday", "sunday"], ["wednesday"]
# A file that came, the days on which none is expected, and until when the feed is in time with 26
# hours. 2026-11-27 is a Friday.
UNTIL = [
    ("2026-11-26 22:00", WEEKEND, "2026-11-28 00:00"),
    ("2026-11-26 21:00", WEEKEND, "2026-11-27 23:00"),
    ("2026-11-27 22:00", WEEKEND, "2026-12-01 00:00"),
    ("2026-11-27 06:00", WEEKEND, "2026-11-30 08:00"),
    ("2026-11-28 12:00", WEEKEND, "2026-12-01 02:00"),
    ("2026-11-24 06:00", MIDWEEK, "2026-11-26 08:00"),
    ("2026-11-27 06:00", [], "2026-11-28 08:00"),
]


@pytest.mark.parametrize(("came", "quiet", "until"), UNTIL)
def test_days_on_which_no_file_is_expected_do_not_count(came, quiet, until) -> None:
    source = Source(bucket="landing", pattern="a/*", late_after="26 hours", quiet_days=quiet)
    file = datetime.fromisoformat(came).replace(tzinfo=UTC)
    for zone in (UTC, timezone(timedelta(hours=9))):  # days are those of UTC
        in_time_until = source.in_time_until(file.astimezone(zone))
        assert source.silence.startswith("26 hours, " if quiet else "26 hours")
        assert in_time_until == datetime.fromisoformat(until).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"quiet_days": ["sunday"]}, "late_after"),
        ({"late_after": "1 day", "quiet_days": ["sun"]}, "'monday', 'tuesday'"),
        ({"late_after": "1 day", "quiet_days": ["sunday", "sunday"]}, "each once"),
        ({"late_after": "1 day", "quiet_days": list(DAYS)}, "a day on which files come"),
    ],
)
def test_quiet_days_that_say_nothing_are_refused(more, words) -> None:
    with pytest.raises(ValidationError, match=words):
        Source.model_validate({"bucket": "landing", "pattern": "a/*", **more})


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
