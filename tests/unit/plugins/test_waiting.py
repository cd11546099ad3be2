"""What the sensor decides, at any moment, without a clock and without servers."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.landfall.arrival import Arrival
from plugins.arrivals.waiting import Nothing, Ready, Sighting, Wait, Watch, decide, wait_on

START = 1_000_000.0


def arrival(key, *, at=START - 1000, size=1, etag="e"):
    return Arrival("landing", key, etag, size, datetime.fromtimestamp(at, UTC))


def watch(**values):
    return Watch(**{"started": START, "poke_interval": 60, **values})


def test_2_3_of_too_many_arrivals_the_first_of_the_ledger_s_order_are_handed_on():
    """The ledger's order has failed files last, however old they are."""
    new, failed = arrival("a", at=START - 1), arrival("b", at=START - 9)
    assert decide([new, failed], watch(most=1), START) == Ready([new], 1, [])


def test_no_more_than_a_task_can_map_over_and_the_rest_is_counted():
    new = [arrival(f"{n:05}", at=START - 5000 + n) for n in range(1500)]
    ready = decide(new, watch(), START)
    assert isinstance(ready, Ready)
    assert (ready.arrivals, ready.left) == (new[:1000], 500)


def test_nothing_new_at_the_end_of_the_time_is_nothing():
    assert decide([], watch(timeout=0), START) == Nothing([])
    assert decide([], watch(timeout=90), START + 90) == Nothing([])


def test_before_the_end_it_waits_a_poke_interval_at_a_time_and_no_longer_than_the_end():
    first = decide([], watch(timeout=90), START)
    assert isinstance(first, Wait)
    assert first.watch.next_look == START + 60
    second = decide([], first.watch, START + 60)
    assert isinstance(second, Wait)
    assert second.watch.next_look == START + 90


def test_an_object_that_has_not_changed_for_long_enough_is_complete_at_once():
    old = arrival("a", at=START - 31)
    assert decide([old], watch(settle=30), START) == Ready([old], 0, [])


def test_an_object_is_waited_for_until_it_has_settled():
    fresh = arrival("a", at=START - 10)
    waiting = decide([fresh], watch(settle=30), START)
    assert isinstance(waiting, Wait)
    assert waiting.watch.next_look == START + 20
    assert decide([fresh], waiting.watch, START + 20) == Ready([fresh], 0, [])


def test_an_object_that_grows_is_waited_for_again():
    """A file that is put several times, each time longer, must not be loaded in part."""
    one = decide([arrival("a", at=START, size=1, etag="1")], watch(settle=30), START)
    assert isinstance(one, Wait)
    grown = arrival("a", at=START + 30, size=2, etag="2")
    two = decide([grown], one.watch, START + 30)
    assert isinstance(two, Wait)
    assert two.watch.next_look == START + 60
    assert decide([grown], two.watch, START + 60) == Ready([grown], 0, [])


def test_a_store_whose_clock_is_ahead_does_not_block_the_feed():
    """Seen twice unchanged is enough, whatever last-modified says."""
    future = arrival("a", at=START + 86_400)
    waiting = decide([future], watch(settle=30), START)
    assert isinstance(waiting, Wait)
    assert decide([future], waiting.watch, START + 30) == Ready([future], 0, [])
    grown = replace(future, size=2)  # some stores give it the same ETag
    assert isinstance(decide([grown], waiting.watch, START + 30), Wait)


def test_complete_arrivals_do_not_wait_for_one_that_grows():
    complete, growing = arrival("a"), arrival("b", at=START)
    assert decide([growing, complete], watch(settle=30), START) == Ready([complete], 0, [growing])


def test_an_object_that_never_settles_is_left_to_the_next_run():
    patience = watch(settle=30, timeout=0)
    at, etag = START, 0
    outcome = decide([arrival("a", at=at, etag=str(etag))], patience, at)
    while isinstance(outcome, Wait):
        at, etag = outcome.watch.next_look, etag + 1
        growing = arrival("a", at=at, etag=str(etag))
        outcome = decide([growing], outcome.watch, at)
    assert outcome == Nothing([growing])
    assert at == START + 2 * 30 + 60


def test_the_state_survives_json():
    """A triggerer that takes over gets the watch from Airflow's database."""
    before = watch(timeout=9, sightings={"a/b.csv": Sighting("v", 3, START)}, next_look=START + 1)
    assert Watch.from_dict(json.loads(json.dumps(before.as_dict()))) == before


ages = st.floats(-100, 1000)


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
@given(
    st.dictionaries(st.text(min_size=1), st.tuples(ages, st.integers(0, 9)), max_size=20),
    st.floats(0, 200),
    st.floats(0, 500),
    st.integers(1, 10),
    st.floats(0, 400),
)
def test_every_new_arrival_is_handed_on_left_or_growing_and_waiting_ends(
    objects, settle, timeout, most, elapsed
):
    new = [arrival(key, at=START - age, size=size) for key, (age, size) in objects.items()]
    now = START + elapsed
    rule = watch(settle=settle, timeout=timeout, most=most)
    outcome = decide(new, rule, now)
    match outcome:
        case Ready(arrivals, left, growing):
            assert 1 <= len(arrivals) <= most
            assert len(arrivals) + left + len(growing) == len(new)
        case Nothing(growing):
            assert growing == new
            assert now >= rule.ends
        case Wait(later):
            assert now < later.next_look <= now + max(rule.poke_interval, 0.1)
            assert now < rule.ends_for_growing


def test_what_airflow_stores_of_a_wait_does_not_grow_with_the_files():
    """Only files are remembered whose time of change lies in the future, as clocks may differ."""
    fresh = [arrival(f"{n}", at=START - 1) for n in range(1000)]
    ahead = arrival("ahead", at=START + 5)
    wait = decide([*fresh, ahead], watch(settle=30), START)
    assert isinstance(wait, Wait)
    assert list(wait.watch.sightings) == ["ahead"]
    assert len(wait.growing) == 1001
    outcome = decide([*fresh, ahead], wait.watch, START + 30)
    assert isinstance(outcome, Ready)
    assert len(outcome.arrivals) == 1000  # all fresh ones have settled, and one waits for most


@pytest.mark.parametrize(
    ("started", "timeout", "next_look", "goes_on"),
    [(START, 600, START + 1, True), (START, 0, START + 1, False), (START, 600, 0, False),
     (START - 700, 600, START - 1, False)],
    ids=["in time", "no time", "first look", "time is up"],
)  # fmt: skip
def test_after_a_passing_fault_it_looks_again_while_there_is_time(
    started, timeout, next_look, goes_on
):
    waiting = Watch(started=started, timeout=timeout, poke_interval=60, next_look=next_look)
    wait = wait_on(waiting, START + 2)
    assert (wait is not None) is goes_on
    if wait:
        assert wait.watch == replace(waiting, next_look=START + 62)
