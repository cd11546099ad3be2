"""What the sensor for new arrivals says, in its event and in the log."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from airflow.sdk.exceptions import (
    AirflowSkipException,
)

from plugins.arrivals.look import event_of
from plugins.arrivals.waiting import Nothing, Ready, Wait, Watch
from tests.support.sensor_runs import ARRIVAL, FEED, both_ways, run, sensor

pytestmark = pytest.mark.usefixtures("airflow_connections")


def test_the_event_names_what_grows_and_what_is_left(looks):
    ready = Ready([ARRIVAL] * 12, 3, [ARRIVAL])
    message = event_of(ready, FEED)["message"]
    assert "and 2 more; 3 more are left to the next run" in message
    assert "still growing: flights/1.csv" in message


def test_files_that_failed_and_wait_are_named_and_not_called_loaded():
    """A run is skipped while they wait, so that only its log can say it."""
    event = event_of(Nothing([], early=("flights/bad.csv",)), FEED)
    assert "flights/bad.csv" in event["message"]
    assert "failed" in event["message"]
    assert "has every file" not in event["message"]


@pytest.mark.parametrize(
    ("outcome", "level"),
    [
        (Nothing([]), "info"),
        (Nothing([], early=("flights/bad.csv",)), "warning"),
        (Ready([ARRIVAL], 0, []), "info"),
        (Ready([ARRIVAL], 9000, []), "warning"),
        (Ready([ARRIVAL], 0, [], early=("flights/bad.csv",)), "warning"),
    ],
    ids=str,
)
def test_a_backlog_and_failed_files_are_warnings(looks, capsys, outcome, level):
    looks[0].append(outcome)
    with suppress(AirflowSkipException):
        run(sensor())
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "s3://" in line]
    assert f"[{level}" in line


@both_ways
def test_a_sensor_that_waits_says_until_when_and_for_what(looks, capsys, deferrable):
    watch = Watch(started=1_000_000, timeout=60, next_look=1_000_030)
    looks[0].extend([Wait(watch, [ARRIVAL]), Wait(watch), Nothing([])])
    with pytest.raises(AirflowSkipException):
        run(sensor(deferrable=deferrable))
    log = capsys.readouterr().out
    assert log.count("the next look is at 1970-01-12 13:47:10Z") == 2
    assert "the last one at 1970-01-12 13:47:40Z; still growing: flights/1.csv" in log


def test_5_13_a_key_forges_no_line_of_the_log():
    forged = replace(ARRIVAL, key="a\n[2026-01-01] INFO - all is well\x1b[2J.csv")
    for outcome in (Ready([forged], 0, [forged]), Nothing([forged], (forged.key,), (forged.key,))):
        assert event_of(outcome, FEED)["message"].isprintable()
