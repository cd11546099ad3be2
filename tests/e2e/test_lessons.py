"""Runs the course once as its reader does: every lesson on a real Airflow, in an empty home.

The first tests check the command itself. The others check what each lesson's walk has seen.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from include.local.course import state_machine, states
from include.local.course.course import LESSONS
from include.local.services import control
from include.local.state import PROJECT
from tests.support.local_command import local, programs_of
from tests.support.server_choice import why_no_docker

pytestmark = pytest.mark.timeout(900)


@dataclass(frozen=True)
class Course:
    """The result of the command, and its report: each lesson by its name."""

    home: Path
    done: subprocess.CompletedProcess[str]
    report: dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory):
    home = tmp_path_factory.mktemp("lessons")
    path = home / "report.json"
    done = local(home, "lessons", "--report", str(path))
    assert path.exists(), done.stdout + done.stderr
    report = {lesson["name"]: lesson for lesson in json.loads(path.read_text())}
    yield Course(home, done, report)
    control.clean(home)


@pytest.fixture(scope="module")
def report(course: Course) -> dict[str, dict[str, Any]]:
    """Each lesson's entry in the report, with its evidence, by the lesson's name."""
    return course.report


def not_run() -> list[str]:
    """The lessons that this machine cannot run. The code under test has no part in the answer."""
    return [] if why_no_docker() is None else ["docker_operator"]


@pytest.mark.parametrize("name", [lesson.name for lesson in LESSONS])
def test_the_lesson_passes(report, name):
    if name in not_run():
        assert report[name]["summary"].startswith("not run: needs Docker; start Docker")
        assert (report[name]["missing"], report[name]["runs"]) == ("Docker", 0)
        return
    assert report[name]["passed"], report[name]["error"]
    assert report[name]["summary"]
    assert report[name]["runs"] >= 1
    assert report[name]["dag_id"].endswith(name)


def test_the_table_has_a_line_for_each_lesson(course):
    assert course.done.returncode == 0, course.done.stdout + course.done.stderr
    for lesson in LESSONS:
        assert f" {lesson.section} " in course.done.stdout
        assert lesson.name in course.done.stdout
    passed = f"{len(LESSONS) - len(not_run())} of {len(LESSONS)} lessons passed"
    rest = f", {len(not_run())} not run: docker_operator needs Docker" if not_run() else ""
    assert f"{passed}{rest}" in course.done.stdout


def test_nothing_runs_on_after_the_course(course):
    assert programs_of(course.home) == []
    assert control.alive(course.home) == []


def test_a_lesson_that_is_not_there_is_refused_with_a_list(tmp_path):
    done = local(tmp_path, "lessons", "backfil")
    assert done.returncode == 1
    assert "no lesson 'backfil'" in done.stderr
    assert all(lesson.name in done.stderr for lesson in LESSONS)
    assert control.alive(tmp_path) == []


# --- 1, 2, 3, 7: first steps


def test_introduction_loads_its_file_once(report):
    evidence = report["introduction"]["evidence"]
    ledger = [["lessons/introduction/people.csv", 3, "loaded"]]
    assert evidence["first"] == {"outcome": "loaded", "rows": 3, "ledger": ledger}
    assert evidence["second"] == {"outcome": "already_loaded", "rows": 3, "ledger": ledger}


def test_introduction_says_in_its_log_that_it_loaded_nothing(report):
    log = report["introduction"]["evidence"]["log"]
    assert "lessons/introduction/people.csv: already_loaded" in log


def test_python_environment_is_this_one_and_airflow_is_the_pinned_one(report):
    evidence = report["python_environment"]["evidence"]
    pinned = re.search(r'"apache-airflow==([^"]+)"', (PROJECT / "pyproject.toml").read_text())
    assert evidence["airflow"] == pinned[1]
    assert Path(evidence["environment"]) == Path(sys.prefix)
    assert evidence["executor"] == "LocalExecutor"


def test_python_environment_opens_its_page_to_this_machine_alone(report):
    assert report["python_environment"]["evidence"]["reached"] == ["127.0.0.1"]


def test_docker_knows_the_service_of_each_connection(report):
    served = report["docker"]["evidence"]["connections"]
    pairs = {each["connection"]: (each["inside"], each["outside"]) for each in served}
    assert pairs == {
        "landing": ("object-store:9000", "127.0.0.1:9000"),
        "warehouse": ("warehouse:5432", "127.0.0.1:5433"),
    }


def test_first_dag_hands_on_the_last_line_alone_and_logs_all(report):
    evidence = report["first_dag"]["evidence"]
    assert evidence["line"].startswith("Hello from bash")
    assert evidence["answer"] == f"hello printed: {evidence['line']}"
    assert "This line is only in the log" in evidence["log"].splitlines()


# --- 4, 8, 9, 10: concepts; 11, 12: dates


def test_core_concepts_run_in_the_order_of_the_arrows(report):
    evidence = report["core_concepts"]["evidence"]
    spans = {
        each["task_id"]: (each["start_date"], each["end_date"]) for each in evidence["instances"]
    }
    assert sorted(spans) == ["A", "B", "C", "D", "E"]
    (_, a), (b, b_end), (c, c_end), (d, _), (e, _) = (spans[name] for name in "ABCDE")
    assert a <= min(b, c)
    assert max(b, c) < min(b_end, c_end), "B and C at once"
    assert max(b_end, c_end) <= min(d, e)
    assert all(f"{name} " in report["core_concepts"]["summary"] for name in spans)


def test_core_concepts_have_the_logical_date_that_was_asked_for(report):
    evidence = report["core_concepts"]["evidence"]
    dates = {datetime.fromisoformat(evidence[key]) for key in ("logical_date", "requested")}
    assert len(dates) == 1


def test_python_operator_gets_text_from_templates(report):
    evidence = report["python_operator"]["evidence"]
    assert evidence["args"] == ["6"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", evidence["day"])
    assert evidence["results"]["report"].startswith(evidence["day"])
    assert len(evidence["results"]["make_orders"]) == 6


def test_xcom_keeps_100_kb_in_the_database_and_of_2_mb_the_address(report):
    evidence = report["xcom"]["evidence"]
    assert evidence["database"]["beyond_48_kb"] > 49_344
    assert evidence["database"]["big"] < 200
    assert evidence["bucket"] == 2_000_002
    assert evidence["address"].startswith("s3://landing@landing/xcom/lesson_09_xcom/")
    assert evidence["run_id"] in evidence["address"]


def test_taskflow_gives_what_its_classic_twin_gives(report):
    evidence = report["taskflow"]["evidence"]
    assert evidence["flow"] == evidence["classic"]
    assert evidence["flow"]["sum_orders"] == {"A": 30, "B": 50, "C": 70}


def test_backfill_catches_up_each_day_once(report):
    caught_up = report["backfill"]["evidence"]["caught_up"]
    assert list(caught_up) == [f"2024-01-0{day}" for day in range(1, 6)]
    assert {run_type for run_type, _ in caught_up.values()} == {"scheduled"}


def test_backfill_changes_only_its_own_days(report):
    evidence = report["backfill"]["evidence"]
    before, after = evidence["before"], evidence["after"]
    changed = {day for day in before if before[day] != after[day]}
    assert changed == {"2024-01-02", "2024-01-03"}
    assert {after[day][0] for day in changed} == {2}, "the old rows are gone"
    ran_again = {day for day, (run_type, _) in evidence["left"].items() if run_type == "backfill"}
    assert ran_again == changed


def test_cron_s_next_runs_are_the_scheduler_s(report):
    evidence = report["cron"]["evidence"]
    ahead = [datetime.fromisoformat(each) for each in evidence["daily"]["now"]]
    assert len(ahead) == 10
    assert ahead[0] == datetime.fromisoformat(evidence["next"])
    assert len(evidence["scheduled"]) == 1


def test_cron_at_a_change_of_the_clocks(report):
    daily, hourly = (report["cron"]["evidence"][name] for name in ("daily", "hourly"))
    assert daily["2026-03-29"][:2] == ["2026-03-29T03:30:00+02:00", "2026-03-30T02:30:00+02:00"]
    assert daily["2026-10-25"][:2] == ["2026-10-25T02:30:00+01:00", "2026-10-26T02:30:00+01:00"]
    assert not [each for each in hourly["2026-03-29"] if "T02:30" in each]
    assert len([each for each in hourly["2026-10-25"] if "T02:30" in each]) == 2


# --- 5, 6: the life of a task, the parts of Airflow


def test_life_cycle_sees_every_state_and_who_brings_it_about(report):
    evidence = report["life_cycle"]["evidence"]
    edges = {tuple(edge) for edge in evidence["edges"]}
    assert evidence["states"].keys() == state_machine.STATES.keys()
    assert edges >= state_machine.ROUTES.keys() - states.CHANCE
    assert evidence["states"]["removed"] == ["part[1]"]
    assert evidence["states"]["restarting"] == ["runs_long"]


def test_life_cycle_keeps_the_history_of_each_try(report):
    tries = report["life_cycle"]["evidence"]["tries"]
    assert tries["fails_once"] == ["1 failed", "2 success", "3 success"]
    assert tries["runs_long"] == ["1 failed", "2 success"], "cleared, then marked by hand"
    assert tries["times_out"] == ["1 failed"], "the policy allows no second try"
    assert "Process timed out" in report["life_cycle"]["evidence"]["log"]


def test_life_cycle_draws_what_it_saw(report, course):
    drawn = (course.home / states.PICTURE).read_text()
    edges = [tuple(edge) for edge in report["life_cycle"]["evidence"]["edges"]]
    assert drawn == states.picture(edges)


def test_architecture_asks_all_six_parts(report):
    parts = report["architecture"]["evidence"]["parts"]
    assert len(parts) == 6
    assert all(up for up, *_ in parts.values())
    assert parts["triggerer"][1].startswith("woke a task")


# --- 13 to 17: connections, Postgres, packages, the S3 sensor, hooks


def test_connections_are_reached_alike_by_airflow_and_by_a_shell(report):
    airflow, shell = (report["connections"]["evidence"][who] for who in ("airflow", "shell"))
    assert [each["connection"] for each in airflow] == ["landing", "warehouse"]
    assert [each["address"] for each in airflow] == [each["address"] for each in shell]
    assert "may make temporary tables" in airflow[1]["answer"]


def test_connections_are_a_table_in_the_log_of_a_task(report):
    log = report["connections"]["evidence"]["log"].splitlines()
    for name in ("landing", "warehouse"):
        assert [line for line in log if line.split()[:2] == ["ok", name]], log


def test_connections_that_are_misspelt_fail_with_a_line_that_says_so(report):
    evidence = report["connections"]["evidence"]
    assert evidence["misspelt"] == "failed"
    assert "define it: airflow_settings.yaml, AIRFLOW_CONN_WHAREHOUSE" in evidence["error"]


def test_postgres_has_a_day_once_however_often_it_runs(report):
    evidence = report["postgres"]["evidence"]
    first, second = evidence["both"]
    assert evidence["once"] == evidence["twice"] == {first: 5}
    assert evidence["both"] == {first: 5, second: 5}


def test_postgres_loses_no_row_to_a_run_that_fails_after_its_delete(report):
    evidence = report["postgres"]["evidence"]
    assert evidence["left"] == evidence["both"]


def test_packages_are_those_of_the_image(report):
    evidence = report["packages"]["evidence"]
    pinned = re.findall(
        r"^([\w-]+)(?:\[.*\])?==(\S+)", (PROJECT / "requirements.txt").read_text(), re.M
    )
    assert evidence["packages"] == dict(pinned)
    assert f"FROM {evidence['image']}" in (PROJECT / "Dockerfile").read_text()


def test_s3_sensor_wakes_for_each_file_once_and_names_it(report):
    evidence = report["s3_sensor"]["evidence"]
    folder = "lessons/s3_sensor"
    assert evidence["woken_by"] == [[f"{folder}/monday.csv"], [f"{folder}/tuesday.csv"]]
    assert evidence["rows"] == 4
    assert report["s3_sensor"]["runs"] == 2


def test_hooks_write_the_same_object_again_and_load_it_once(report):
    evidence = report["hooks"]["evidence"]
    assert (evidence["once"]["outcome"], evidence["twice"]["outcome"]) == (
        "loaded",
        "already_loaded",
    )
    assert evidence["once"]["etag"] == evidence["twice"]["etag"] != evidence["other"]["etag"]
    assert set(evidence["rows"].values()) == {5}


def test_hooks_write_a_text_file_of_the_day_s_orders(report):
    header, *lines = report["hooks"]["evidence"]["lines"]
    (day, *_) = report["hooks"]["evidence"]["rows"]
    assert header == "day,order_id,amount"
    assert lines == [f"{day},{n},{10 * n}" for n in range(1, 6)]


# --- 18: DockerOperator


def test_docker_operator_trains_in_a_container_and_leaves_none(report):
    evidence = report["docker_operator"]["evidence"]
    if not_run():
        assert evidence == {}
        return
    assert evidence["names"] == ["flights.csv", "metrics.json", "model.joblib", "plot.png"]
    assert evidence["metrics"]["rmse"] < evidence["metrics"]["rmse_of_the_mean"] / 2
    assert "written to s3://landing/lessons/docker_operator/" in evidence["log"]
    assert evidence["left"] == []


# --- 19: executors, and Celery


def test_celery_answers_at_once_and_makes_the_same_report(report):
    evidence = report["celery"]["evidence"]
    assert evidence["queued"] < evidence["blocking"]
    assert evidence["rows"][0] == evidence["rows"][1] > 5_000
    assert evidence["bytes"] == [evidence["size"]] * 2
