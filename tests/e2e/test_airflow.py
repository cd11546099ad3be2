"""`make airflow`, for somebody who has just cloned the project."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from include.local.airflow.api import Api
from include.local.course.course import LESSONS
from include.local.demo.compare import compare
from include.local.services import control
from include.local.services.process import is_free
from include.local.state import PROJECT
from tests.support.local_command import command, environ, local, programs_of

pytestmark = pytest.mark.timeout(400)
READY = re.compile(r"(http://\S+:(\d+))\s+user (\S+), password (\S+)")
DAGS = (
    "feed_flights", "feed_flight_corrections", "feed_weather", "feed_planes", "feed_airports",
    "feed_airlines", "flights_marts",
)  # fmt: skip


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """Runs `make airflow` in a new folder: the folder, and the file with its output."""
    folder = tmp_path_factory.mktemp("airflow-local")
    printed = folder / "printed"
    with printed.open("w") as output:
        program = subprocess.Popen(
            command("airflow"),
            stdout=output, stderr=output, cwd=PROJECT, env=environ(folder),
            start_new_session=True,
        )  # fmt: skip
        yield folder, printed
        family = psutil.Process(program.pid).children(recursive=True)
        program.send_signal(signal.SIGINT)
        program.wait(60)
        control.clean(folder)
        assert psutil.wait_procs(family, timeout=10)[1] == [], "Ctrl-C left programs behind"


def wait_for(check, seconds):
    deadline = time.monotonic() + seconds
    while not (result := check()):
        assert time.monotonic() < deadline
        time.sleep(1)
    return result


def runs(api: Api) -> dict[str, set[str]]:
    states: dict[str, set[str]] = {}
    for run in api.get("dags/~/dagRuns", limit=100)["dag_runs"]:
        states.setdefault(run["dag_id"], set()).add(run["state"])
    return states


def errors_in(logs: Path) -> str:
    """The ends of the lines with errors in the logs of the tasks."""
    lines = [
        f"{log.parent.relative_to(logs)}: {line[-1500:]}"
        for log in sorted(logs.rglob("attempt=*.log"))
        for line in log.read_text().splitlines()
        if '"level":"error"' in line.replace(" ", "")
    ]
    return "\n".join(lines)


def all_ended(states: dict[str, set[str]]) -> dict[str, set[str]] | None:
    is_over = set(DAGS) <= states.keys() and set.union(*states.values()) <= {"success", "failed"}
    return states if is_over else None


def test_the_feeds_run_green_in_airflow_and_load_as_in_the_demo(airflow):
    folder, printed = airflow
    address, port, user, password = wait_for(
        lambda: READY.search(printed.read_text()), 180
    ).groups()
    api = Api.login(address, user, password)
    # The marts run again when a feed's rows come while they run.
    ended = wait_for(lambda: all_ended(runs(api)), 250)
    assert ended == {dag_id: {"success"} for dag_id in DAGS}, errors_in(folder / "airflow" / "logs")
    verdicts = compare(control.running(folder).postgres.warehouse.conninfo())
    assert all(verdict.equal for verdict in verdicts)
    assert not is_free(int(port))


def test_the_lessons_are_there_paused_and_grouped_by_their_tag(airflow):
    _, printed = airflow
    address, _, user, password = wait_for(lambda: READY.search(printed.read_text()), 180).groups()
    assert f"{address}/dags?tags=lesson" in printed.read_text()
    api = Api.login(address, user, password)
    wanted = {lesson.dag_id for lesson in LESSONS}

    def all_lessons():
        dags = api.get("dags", tags="lesson", limit=100)["dags"]
        return dags if wanted <= {dag["dag_id"] for dag in dags} else None

    dags = wait_for(all_lessons, 180)
    assert all(dag["is_paused"] for dag in dags)


def test_the_lessons_use_the_airflow_that_runs(airflow):
    folder, printed = airflow
    wait_for(lambda: READY.search(printed.read_text()), 180)
    done = local(folder, "lessons", "first_dag")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Airflow runs already" in done.stdout
    assert "1 of 1 lessons passed" in done.stdout


def test_a_second_airflow_in_the_same_home_is_refused(airflow):
    folder, printed = airflow
    address = wait_for(lambda: READY.search(printed.read_text()), 180)[1]
    done = local(folder, "airflow")
    assert done.returncode == 1
    assert address in done.stderr


def test_airflow_listens_on_this_machine_alone(airflow):
    folder, _ = airflow
    addresses = {address for program in programs_of(folder) for address in listening(program)}
    assert addresses == {"127.0.0.1"}


def listening(program: psutil.Process) -> set[str]:
    """The addresses at which a program listens; none when it has just ended."""
    with suppress(psutil.NoSuchProcess):
        connections = program.net_connections("inet")
        return {each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN}
    return set()
