"""The walk of the life cycle: real tasks go through every state, seen by the REST API alone.

The audit log and the times of each try say in which order things happened, and who did them.
States that leave no trace there are seen by looking often.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from include.local.course.classroom import ENDED, Classroom, Run, Seen, expect
from include.local.course.state_machine import (
    PERSON,
    ROUTES,
    SCHEDULER,
    STATES,
    TASK,
    TRIGGERER,
    Edge,
    draw,
)

Tasks = dict[str, dict[str, Any]]

DAG_ID = "lesson_05_life_cycle"
PICTURE = "life_cycle.svg"
MOST_SECONDS = 200
# Transitions that happen on a busy machine alone.
CHANCE = {("queued", "up_for_retry", SCHEDULER), ("running", "up_for_retry", SCHEDULER)}


@dataclass(frozen=True)
class Look:
    """The run's task instances at one moment, each by its name."""

    ended: datetime
    tasks: Tasks


@dataclass(frozen=True)
class Trace:
    """An event of a task that the API has. Without a state, that follows from the one before."""

    when: datetime
    state: str | None
    who: str | None = None

    def after(self, state: str) -> str:
        """Returns the state to which this event led from `state`."""
        if self.state is not None:
            return self.state
        if self.who == PERSON:  # cleared
            return "restarting" if state == "running" else "none"
        return "none" if state == "restarting" else "up_for_retry"  # its process has ended


@dataclass(frozen=True)
class Step:
    """One transition of one task."""

    task: str
    source: str
    target: str
    who: str


@dataclass
class Person:
    """Does by the REST API what a reader does by hand while the run goes on."""

    room: Classroom
    run: Run
    acts: list[str] = field(default_factory=list)

    def act(self, tasks: Tasks) -> bool:
        """Does what the states ask for, once for each try; whether it did anything."""
        now = {(name, task["state"], task["try_number"]) for name, task in tasks.items()}
        due = {
            "clear runs_long": ("runs_long", "running", 1) in now,
            "mark runs_long": ("runs_long", "running", 2) in now,
            "clear parts": ("part[1]", "success", 1) in now,
        } | {
            # Last, because it lets the run end. Besides, a task that is queued again before the
            # executor has seen its process end, which may take seconds, counts as lost and retries.
            f"answer asks {number}": ("asks", "awaiting_input", number) in now
            and tasks.get("part[1]", {}).get("state") == "removed"
            and "mark runs_long" in self.acts
            for number in (1, 2, 3)
        }
        todo = [act for act, is_due in due.items() if is_due and act not in self.acts]
        for act in todo:
            ACTS[act.rstrip(" 123")](self)
            self.acts.append(act)
        return bool(todo)

    def clear_running(self) -> None:
        """Clears the task that runs."""
        self._clear(["runs_long"])

    def clear_parts(self) -> None:
        """Clears the task that names the parts, and the second part."""
        self._clear(["fails_once", ["part", 1]])

    def _clear(self, tasks: list[Any]) -> None:
        body = {"dag_run_id": self.run.run_id, "task_ids": tasks, "only_failed": False}
        self.room.api.post(f"dags/{DAG_ID}/clearTaskInstances", {**body, "dry_run": False})

    def mark(self) -> None:
        """Marks the task that runs as a success."""
        self.room.api.patch(f"{self.run.path}/taskInstances/runs_long", {"new_state": "success"})

    def answer(self) -> None:
        """Answers the task that asks."""
        path = f"{self.run.path}/taskInstances/asks/-1/hitlDetails"
        self.room.api.patch(path, {"chosen_options": ["Reject"]})


ACTS: dict[str, Callable[[Person], None]] = {
    "clear runs_long": Person.clear_running,
    "mark runs_long": Person.mark,
    "clear parts": Person.clear_parts,
    "answer asks": Person.answer,
}


def life_cycle(room: Classroom) -> Seen:
    """Sees every state of Airflow and every transition of the page, and draws them."""
    _end_old_runs(room)
    run = room.trigger(DAG_ID)
    looks, acts = _watch(room, run)
    steps = list(all_steps(looks, _audit(room, run)))
    states = _tasks_by_state(looks, steps)
    missing = STATES.keys() - states.keys()
    expect(not missing, f"expected every state, seen none in {sorted(missing)}")
    edges = {(step.source, step.target, step.who) for step in steps}
    unseen = ROUTES.keys() - CHANCE - edges
    expect(not unseen, f"expected all transitions of the page, not seen: {sorted(unseen)}")
    (room.home / PICTURE).write_text(picture(edges), encoding="utf-8")
    return Seen(
        f"all {len(states)} states, {len(edges)} transitions between them; drawn: {PICTURE}",
        {
            "states": {state: sorted(tasks) for state, tasks in states.items()},
            "edges": sorted(edges), "steps": [list(vars(step).values()) for step in steps],
            "tries": {task: _tries(room, run, task) for task in looks[-1].tasks},
            "log": room.log(run, "times_out"), "acts": acts, "looks": len(looks),
        },
    )  # fmt: skip


def picture(edges: Iterable[Edge]) -> str:
    """Draws the picture of these transitions."""
    return draw(edges, f"The states of a task, as seen on Airflow {version('apache-airflow')}")


def _end_old_runs(room: Classroom) -> None:
    """Ends the runs that an interrupted walk has left: this walk's run would wait for them."""
    room.until(f"Airflow reads {DAG_ID}", lambda: DAG_ID in room.api.dags())
    for run in room.runs(DAG_ID):
        if run.state not in ENDED:
            room.api.patch(run.path, {"state": "failed"})


def _watch(room: Classroom, run: Run) -> tuple[list[Look], list[str]]:
    """Looks until the run has ended and every act was done; returns the looks and the acts."""
    looks: list[Look] = []
    person = Person(room, run)

    def over() -> bool:
        looks.append(_look(room, run))
        if person.act(looks[-1].tasks):
            looks.append(_look(room, run))  # at once, since a cleared task soon has another state
        return _answered(person.acts) and Run.of(room.api.get(run.path)).state in ENDED

    room.until("the run of the life cycle ends", over, MOST_SECONDS)
    looks.append(_look(room, run))
    return looks, list(person.acts)


def _answered(acts: Sequence[str]) -> bool:
    return any(act.startswith("answer") for act in acts)


def _look(room: Classroom, run: Run) -> Look:
    tasks = {_name(task["task_id"], task["map_index"]): task for task in room.tasks(run)}
    return Look(datetime.now(UTC), tasks)


def _name(task_id: str, index: int | None) -> str:
    return task_id if index in (None, -1) else f"{task_id}[{index}]"


def _tries(room: Classroom, run: Run, task: str) -> list[str]:
    """The state in which each try of the task ended."""
    name, _, index = task.removesuffix("]").partition("[")
    path = f"{run.path}/taskInstances/{name}" + (f"/{index}" if index else "") + "/tries"
    tries = sorted(room.api.get(path)["task_instances"], key=lambda each: each["try_number"])
    return [f"{each['try_number']} {each['state']}" for each in tries]


def _audit(room: Classroom, run: Run) -> dict[str, list[Trace]]:
    """The audit log's events of each task: its own reports, and what a person did to it."""
    events = room.api.get("eventLogs", dag_id=DAG_ID, run_id=run.run_id, limit=1000)["event_logs"]
    traces = defaultdict(list)
    for event in events:
        when, extra = datetime.fromisoformat(event["when"]), event["extra"] or ""
        name = _name(event["task_id"], event["map_index"])
        if event["event"] in STATES and "host_name" in extra:
            traces[name].append(Trace(when, event["event"], TASK))
        elif event["event"] == "state mismatch":
            traces[name].append(Trace(when, None, SCHEDULER))
        elif event["event"] == "patch_task_instance":
            traces[name].append(Trace(when, json.loads(extra)["new_state"], PERSON))
        elif event["event"] == "update_hitl_detail":
            traces[name].append(Trace(when, "scheduled", PERSON))
        elif event["event"] == "post_clear_task_instances":
            for task in json.loads(extra)["task_ids"]:
                cleared = _name(task, None) if isinstance(task, str) else _name(*task)
                traces[cleared].append(Trace(when, None, PERSON))
    return traces


def all_steps(looks: Sequence[Look], audit: dict[str, list[Trace]]) -> Iterator[Step]:
    """Yields every transition of every task."""
    for task in sorted({task for look in looks for task in look.tasks}):
        yield from _steps(task, looks, audit.get(task, []))


def _steps(task: str, looks: Sequence[Look], audit: Iterable[Trace]) -> Iterator[Step]:
    """A task's transitions; those between two looks come from its traces."""
    traces, state = set(audit), None
    used: set[Trace] = set()
    for look in looks:
        if not (now := look.tasks.get(task)):
            continue
        traces |= set(_times(now))
        target = now["state"] or "none"
        if state is None:
            state, used = target, set(_times(now))
        between = [t for t in traces - used if t.when <= look.ended] if state != target else []
        for trace in sorted(between, key=lambda trace: trace.when):
            if state == target:
                break
            used.add(trace)
            new = trace.after(state)
            if new != state:
                yield Step(task, state, new, trace.who or _mover(state))
                state = new
        if state != target:
            yield Step(task, state, target, _mover(state))
            state = target


def _times(now: dict[str, Any]) -> Iterator[Trace]:
    """The times that a task instance has of its current try."""
    for state in ("scheduled", "queued"):
        if now[f"{state}_when"]:
            yield Trace(datetime.fromisoformat(now[f"{state}_when"]), state)


def _mover(source: str) -> str:
    """Who moves a task out of a state when neither the task nor a person does."""
    return TRIGGERER if source == "deferred" else SCHEDULER


def _tasks_by_state(looks: Iterable[Look], steps: Iterable[Step]) -> dict[str, set[str]]:
    states = defaultdict(set)
    for look in looks:
        for name, task in look.tasks.items():
            states[task["state"] or "none"].add(name)
    for step in steps:
        states[step.target].add(step.task)
    return states
