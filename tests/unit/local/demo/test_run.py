"""What the demo prints when a file is refused, changed or different."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from include.local.airflow.dag_client import Result
from include.local.demo import run as module
from include.local.demo.compare import Verdict
from include.local.demo.run import Demo
from include.local.demo.seed import Seeded
from include.local.demo.watch import Load

GOOD = Load(1, "flights", "flights/2013-01.csv", 10, 0.5, "loaded", None, "then")
BAD = Load(2, "flights", "flights/2013-02.csv", 0, 0, "failed", "line 7: [found] abc", "then")
EQUAL = Verdict("flights", 10, 10, 19)
DIFFERENT = Verdict("flights", 10, 9, 19, ("missing: 2013, 1",))


@pytest.fixture
def demo(tmp_path) -> Demo:
    console = Console(file=io.StringIO(), width=100)
    return Demo(tmp_path, SimpleNamespace(), console)


def printed(demo: Demo) -> str:
    return demo.console.file.getvalue()


def watch(*loads: Load, before: tuple[Load, ...] = ()) -> SimpleNamespace:
    return SimpleNamespace(loads=lambda: list(loads), before=list(before))


def test_a_refused_file_has_the_ledgers_error_and_the_path_of_the_log(demo):
    failed = [Result("feed_flights", "failed", failed=("load",))]
    module._print_failure(demo, watch(GOOD, BAD), failed)
    for part in ("feed_flights failed", "load", "line 7: [found] abc", "airflow.log"):
        assert part in printed(demo)


def test_a_dag_that_cannot_be_imported_says_so(demo):
    failed = [Result("feed_flights", "failed", error="it could not be imported")]
    module._print_failure(demo, watch(), failed)
    assert "could not be imported" in printed(demo)


def test_nothing_new_is_said_only_when_nothing_was_refused(demo):
    module._print_loads(demo, watch(GOOD, before=(GOOD,)))
    assert "nothing new: 1 arrivals already loaded" in printed(demo)
    module._print_loads(demo, watch(GOOD, BAD, before=(GOOD,)))
    assert printed(demo).count("nothing new") == 1


def test_a_new_arrival_is_counted_apart_from_the_old(demo):
    other = Load(3, "planes", "planes/planes.csv", 5, 0.1, "loaded", None, "now")
    module._print_loads(demo, watch(GOOD, other, before=(GOOD,)))
    assert "1 new, 1 arrivals already loaded" in printed(demo)
    assert "flights" not in printed(demo)


def test_a_table_that_differs_is_an_error(demo):
    assert module._print_verdict(demo, [EQUAL], changed_files=[])
    assert not module._print_verdict(demo, [DIFFERENT], changed_files=[])
    assert "missing: 2013, 1" in printed(demo)


def test_a_table_whose_file_somebody_changed_may_differ(demo):
    changed = [Seeded("flights/2013-01.csv", 1, "kept")]
    assert module._print_verdict(demo, [DIFFERENT], changed)
    assert "its files were changed" in printed(demo)
