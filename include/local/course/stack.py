"""The walk of the architecture: it checks what the lesson finds out about each part."""

from __future__ import annotations

from include.local.airflow.api import unhealthy
from include.local.course.classroom import Classroom, Seen, expect

DAG_ID = "lesson_06_architecture"


def architecture(room: Classroom) -> Seen:
    """Checks that all six parts are up, in the lesson's table and in the API's health check."""
    run = room.run(DAG_ID)
    parts = room.xcom(run, "ask_each_part", "parts")
    down = [part for part, (up, *_) in parts.items() if not up]
    expect(not down, f"expected all parts to be up, seen: {parts}")
    outside = unhealthy(room.api.address)
    expect(not outside, f"expected the same from outside, seen down: {outside}")
    address = room.api.address
    expect(address in parts["API server"][1], f"expected {address} to answer, seen: {parts}")
    log = room.log(run, "ask_each_part")
    unnamed = [part for part in parts if part not in log]
    expect(not unnamed, f"expected a line for each part, seen none for: {unnamed}")
    state = room.states(run)["is_woken"]
    expect(state == "success", f"expected the triggerer to wake the task, seen: {state}")
    return Seen(
        f"{len(parts)} parts up: {', '.join(parts)}; the triggerer {parts['triggerer'][1]}",
        {"parts": parts, "log": log},
    )
