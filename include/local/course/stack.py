"""The walk of the architecture: what the lesson says of each part, beside what runs here."""

from __future__ import annotations

from include.local.airflow.api import unhealthy
from include.local.course.classroom import Classroom, Seen, expect

DAG_ID = "lesson_06_architecture"


def architecture(room: Classroom) -> Seen:
    """All six parts are up, the table says how it knows, and asked from outside it is the same."""
    run = room.run(DAG_ID)
    parts = room.xcom(run, "ask_each_part", "parts")
    down = [part for part, (up, *_) in parts.items() if not up]
    expect(not down, f"expected all parts to be up, seen: {parts}")
    outside = unhealthy(room.api.address)
    expect(not outside, f"expected the same from outside, seen down: {outside}")
    address = room.api.address
    expect(address in parts["API server"][1], f"expected {address} to answer, seen: {parts}")
    log = room.log(run, "ask_each_part")
    unsaid = [part for part in parts if part not in log]
    expect(not unsaid, f"expected a line for each part, seen none for: {unsaid}")
    woken = room.states(run)["is_woken"]
    expect(woken == "success", f"expected the triggerer to wake the task, seen: {woken}")
    return Seen(
        f"{len(parts)} parts up: {', '.join(parts)}; the triggerer {parts['triggerer'][1]}",
        {"parts": parts, "log": log},
    )
