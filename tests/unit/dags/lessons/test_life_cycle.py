"""The walk derives the transitions from the API's answers, and draws every state of Airflow."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from include.local.course import state_machine, states
from include.local.course.state_machine import PERSON, SCHEDULER, TASK, TRIGGERER, draw
from include.local.course.states import Look, Trace, all_steps
from tests.support.lesson_module import FOLDER, load

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return BEGUN + timedelta(seconds=seconds)


def look(seconds: float, state: str | None, **when: float) -> Look:
    times = {f"{name}_when": at(second).isoformat() for name, second in when.items()}
    task: dict[str, Any] = {"scheduled_when": None, "queued_when": None, **times, "state": state}
    return Look(at(seconds), {"t": task})


def steps(looks: list[Look], *traces: Trace) -> list[tuple[str, str, str]]:
    return [(s.source, s.target, s.who) for s in all_steps(looks, {"t": list(traces)})]


def test_the_picture_has_a_place_for_every_state_of_this_airflow():
    from airflow.utils.state import TaskInstanceState

    assert state_machine.STATES.keys() == {"none", *(state.value for state in TaskInstanceState)}


def test_states_between_two_looks_come_from_the_traces():
    looks = [look(0, None), look(9, "success", scheduled=1, queued=2)]
    seen = steps(looks, Trace(at(3), "running", TASK), Trace(at(4), "success", TASK))
    assert seen == [
        ("none", "scheduled", SCHEDULER),
        ("scheduled", "queued", SCHEDULER),
        ("queued", "running", TASK),
        ("running", "success", TASK),
    ]


def test_a_trace_that_is_later_than_the_look_waits_for_the_next():
    looks = [look(0, "queued"), look(2, "running"), look(5, "success")]
    seen = steps(looks, Trace(at(1), "running", TASK), Trace(at(4), "success", TASK))
    assert seen == [("queued", "running", TASK), ("running", "success", TASK)]


@pytest.mark.parametrize(
    ("before", "after"), [("running", "restarting"), ("success", None), ("success", "scheduled")]
)
def test_clearing_is_done_by_a_person_whatever_it_leads_to(before, after):
    times = {"scheduled": 2} if after == "scheduled" else {}
    seen = steps([look(0, before), look(3, after, **times)], Trace(at(1), None, PERSON))
    assert seen[0] == (before, after if after == "restarting" else "none", PERSON)


def test_the_end_of_a_process_is_seen_even_when_no_look_saw_the_state_after_it():
    looks = [look(0, "restarting"), look(3, "queued", scheduled=2, queued=2.5)]
    assert steps(looks, Trace(at(1), None, SCHEDULER)) == [
        ("restarting", "none", SCHEDULER),
        ("none", "scheduled", SCHEDULER),
        ("scheduled", "queued", SCHEDULER),
    ]
    lost = steps([look(0, "queued"), look(3, "up_for_retry")], Trace(at(1), None, SCHEDULER))
    assert lost == [("queued", "up_for_retry", SCHEDULER)]


def test_a_person_marks_a_task_and_the_triggerer_wakes_one():
    seen = steps([look(0, "running"), look(2, "success")], Trace(at(1), "success", PERSON))
    assert seen == [("running", "success", PERSON)]
    assert steps([look(0, "deferred"), look(2, "scheduled", scheduled=1)]) == [
        ("deferred", "scheduled", TRIGGERER)
    ]


def test_nothing_is_drawn_that_was_not_seen():
    edges = [("none", "scheduled", SCHEDULER)]
    picture = draw(edges, "two states")
    assert drawn(picture) == set(edges)
    assert set(re.findall(r'class="title"[^>]*>(\w+)<', picture)) == {"none", "scheduled"}


def test_a_transition_without_a_route_is_drawn_too():
    edges = [("removed", "failed", PERSON)]
    assert drawn(draw(edges, "new")) == set(edges)


def test_the_picture_that_is_shown_has_every_state_and_transition():
    shown = (FOLDER.parents[1] / "docs" / "pictures" / states.PICTURE).read_text()
    assert drawn(shown) >= state_machine.ROUTES.keys() - states.CHANCE
    assert shown == states.picture(drawn(shown)), "draw it again: make lessons L=life_cycle"


def drawn(picture: str) -> set[tuple[str, ...]]:
    edges = re.findall(r"<title>(\w+) to (\w+), by ([\w ]+)</title>", picture)
    return set(edges)


def test_the_page_has_a_line_for_every_state():
    page = load("life_cycle").__doc__
    table = " ".join(line.split("|")[1] for line in page.splitlines() if line.startswith("|"))
    assert set(re.findall(r"\w+", table)) >= state_machine.STATES.keys()
