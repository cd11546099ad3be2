"""The runner of the lessons: the result of a walk, however the walk ends."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.error
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest

from include.local.course import run as runner
from include.local.course.classroom import Classroom, LessonFailed, Seen, expect
from include.local.course.course import LESSONS, Lesson, choose
from include.local.state import LocalError, locked

TASK = {"dag_id": "lesson_98_made_up", "dag_run_id": "r1", "task_id": "t", "try_number": 3}


@dataclass
class FakeApi:
    """Answers with these task instances; remembers the DAGs that were paused."""

    tasks: list[dict[str, Any]] = field(default_factory=list)
    paused: list[str] = field(default_factory=list)
    address: str = "http://127.0.0.1:9"

    def get(self, path, **_):
        return {"task_instances": self.tasks}

    def pause(self, dag_id):
        self.paused.append(dag_id)


@pytest.fixture
def api():
    return FakeApi()


@pytest.fixture
def room(tmp_path, api):
    (tmp_path / "logs").mkdir()
    return Classroom(api, tmp_path, {}, services=SimpleNamespace(), client=SimpleNamespace())


def lesson(walk, section=98):
    return Lesson(section, "made_up", "Made up", walk)


def attend(walk, room):
    return runner.attend(lesson(walk), room, lambda *_: None)


def test_a_walk_that_sees_what_it_should_passes_with_its_summary_and_its_evidence(room, api):
    api.tasks = [TASK | {"state": "success"}, TASK | {"state": "skipped", "dag_run_id": "r2"}]
    result = attend(lambda _: Seen("two runs", {"a": 1}), room)
    assert (result.passed, result.summary, result.error) == (True, "two runs", None)
    assert (result.runs, result.states) == (2, {"success": 1, "skipped": 1})
    assert result.evidence == {"a": 1}


def test_the_longest_lessons_begin_first(room, monkeypatch):
    monkeypatch.setattr(runner, "AT_ONCE", 1)
    began = []

    def begin(_, name):
        began.append(name)
        return Seen("seen")

    lessons = [replace(each, walk=partial(begin, name=each.name)) for each in LESSONS]
    runner.run_lessons([each for each in lessons if not each.needs], room, [], lambda *_: None)
    assert began[:2] == ["life_cycle", "backfill"]
    assert len(began) == len({*began}) > 15


def test_a_lesson_that_fails_says_what_and_where_the_log_is(room, api):
    api.tasks = [TASK | {"state": "failed"}, TASK | {"state": "success", "task_id": "fine"}]

    def walk(_):
        expect(False, "expected 3 rows, seen: 6")

    result = attend(walk, room)
    assert not result.passed
    first, second = result.error.splitlines()
    assert first == "expected 3 rows, seen: 6"
    assert second.startswith("log of t: ")
    assert second.endswith("dag_id=lesson_98_made_up/run_id=r1/task_id=t/attempt=3.log")


def test_a_walk_that_breaks_is_a_failure_with_its_traceback_in_a_file(room, monkeypatch):
    monkeypatch.setattr(runner, "unhealthy", lambda address: [])
    result = attend(lambda _: {}["nothing"], room)
    assert not result.passed
    assert "KeyError('nothing')" in result.error
    log = Path(result.error.rpartition("see ")[2])
    assert "Traceback" in log.read_text()


def test_a_walk_whose_airflow_was_stopped_elsewhere_says_so_and_what_to_do(room, api):
    """`make lessons` beside `make airflow`, which somebody ends."""

    def walk(room):
        raise urllib.error.URLError("Connection refused")

    error = attend(walk, room).error
    assert error.startswith(f"Airflow no longer answers at {api.address}")
    assert "make lessons L=made_up" in error


def test_a_lesson_whose_file_was_changed_says_how_to_undo_that(room, monkeypatch, tmp_path):
    """An exercise changes the file, and the walk expects what the page says."""
    file = tmp_path / "dags" / "lessons" / "made_up.py"
    file.parent.mkdir(parents=True)
    git = ("git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@example.com")
    file.write_text("PEOPLE = 3\n")
    for command in (("init", "-q"), ("add", "."), ("commit", "-qm", "as it was")):
        subprocess.run([*git, *command], check=True)
    monkeypatch.setattr(runner, "PROJECT", tmp_path)

    def walk(_):
        expect(False, "expected 3 rows, seen: 4")

    assert "git restore" not in attend(walk, room).error
    file.write_text("PEOPLE = 4\n")
    assert attend(walk, room).error.endswith("git restore dags/lessons/made_up.py")


def test_a_lesson_that_has_ended_starts_no_run_by_itself_any_more(room, api):
    """Otherwise its schedule would go on in `make airflow`."""
    attend(lambda _: Seen("done"), room)
    assert api.paused == ["lesson_98_made_up"]


@pytest.fixture
def course(room, monkeypatch):
    """A course of a good and a bad lesson, in a classroom without an Airflow."""

    def bad(_):
        raise LessonFailed("expected rain, seen: sun")

    lessons = {"good": lesson(lambda _: Seen("rain")), "bad": lesson(bad, 99)}
    lessons["lacking"] = replace(
        lessons["good"], section=97, needs="Docker", lacks=lambda: "start it"
    )
    monkeypatch.setattr(runner, "choose", lambda names: [lessons[name] for name in names])
    monkeypatch.setattr(runner, "open_classroom", lambda *_: nullcontext((room, [])))
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_one_bad_lesson_makes_the_exit_code_1_and_is_in_the_report(course, tmp_path, capsys):
    report = tmp_path / "report.json"
    assert runner.run(tmp_path, ["bad", "good"], report) == 1
    assert [each["passed"] for each in json.loads(report.read_text())] == [True, False]
    printed = capsys.readouterr().out
    assert "expected rain, seen: sun" in printed
    assert "1 of 2 lessons passed" in printed


def test_all_good_is_exit_code_0(course, tmp_path):
    assert runner.run(tmp_path, ["good"]) == 0


def test_the_lessons_run_once_at_a_time_in_a_home(course, tmp_path):
    """Two walks of a lesson would delete each other's runs, files and tables."""
    with locked(tmp_path, "lessons.lock"), pytest.raises(LocalError, match="wait for its end"):
        runner.run(tmp_path, ["good"])
    assert runner.run(tmp_path, ["good"]) == 0


def test_a_lesson_that_needs_what_the_machine_lacks_does_not_run(room, api):
    def walk(_):
        raise AssertionError("it ran")

    lacking = Lesson(98, "made_up", "Made up", walk, needs="Docker", lacks=lambda: "start Docker")
    result = runner.attend(lacking, room, lambda *_: None)
    assert (result.passed, result.error, result.missing) == (False, None, "Docker")
    assert result.summary == "not run: needs Docker; start Docker"
    assert api.paused == []


@pytest.mark.parametrize(("names", "code"), [(["good", "lacking"], 0), (["lacking"], 1),
                                             (["bad", "lacking"], 1)])  # fmt: skip
def test_a_lesson_that_did_not_run_is_named_and_is_no_success(
    course, tmp_path, capsys, names, code
):
    report = tmp_path / "report.json"
    assert runner.run(tmp_path, names, report) == code
    assert "1 not run: made_up needs Docker" in capsys.readouterr().out
    assert [each["missing"] for each in json.loads(report.read_text())].count("Docker") == 1


def test_without_docker_a_lesson_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    (lesson,) = choose(["docker_operator"])
    assert lesson.needs == "Docker"
    assert lesson.lacks().startswith("start Docker")


def test_lessons_run_side_by_side(room):
    both = Barrier(2, timeout=10)

    def walk(_):
        both.wait()
        return Seen("met the other")

    results = runner.run_lessons([lesson(walk), lesson(walk, 99)], room, [], lambda *_: None)
    assert all(result.passed for result in results)


def test_an_airflow_that_dies_ends_the_course_at_once(room, tmp_path):
    dead = SimpleNamespace(
        name="scheduler", log=tmp_path / "log", child=SimpleNamespace(poll=lambda: 1, returncode=1)
    )

    def walk(room):
        return room.until("what never comes", lambda: None, seconds=60)

    with pytest.raises(LocalError, match="scheduler ended"):
        runner.run_lessons([lesson(walk)], room, [dead], lambda *_: None)
    assert room.over.is_set()


def test_waiting_ends_with_a_message_when_the_time_is_up(room):
    with pytest.raises(LessonFailed, match="expected within 0 s: rain"):
        room.until("rain", lambda: None, seconds=0)


def test_a_lesson_is_chosen_by_name_or_number_in_the_order_of_the_course():
    first, *_, last = LESSONS
    assert choose([last.name, str(first.section)]) == [first, last]
    assert choose([]) == list(LESSONS)


def test_an_unknown_lesson_is_refused_with_a_list():
    with pytest.raises(LocalError, match="no lesson 'xkom'") as refused:
        choose(["xkom"])
    assert all(f"{lesson.section} {lesson.name}" in str(refused.value) for lesson in LESSONS)
