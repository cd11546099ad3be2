"""`make demo`, for somebody who has just cloned the project."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from include.local.services import control
from tests.support.local_command import local

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("demo")
    yield folder
    control.clean(folder)


@pytest.fixture(scope="module")
def first(home: Path) -> subprocess.CompletedProcess[str]:
    return local(home, "demo")


def test_the_demo_loads_everything_and_shows_it(home, first):
    assert first.returncode == 0, first.stdout + first.stderr
    assert first.stdout.count("loaded      ") == 18
    assert re.search(r"flights +│ +12 │ +336,776 ", first.stdout)
    assert re.search(r"flight_corrections +│ +2 │ +7\d\d ", first.stdout)
    assert re.search(r"all +│ +18 │ +368,4\d\d ", first.stdout)
    assert "equal: all 6,832,063 cells" in first.stdout
    assert "make down" in first.stdout


def test_the_chart_is_a_picture(home, first):
    chart = (home / "demo" / "delays.png").read_bytes()
    assert chart.startswith(b"\x89PNG")
    assert len(chart) > 50_000


def test_the_services_go_on_and_the_ledger_has_eighteen_arrivals(home, first):
    warehouse = control.running(home).postgres.warehouse
    with psycopg.connect(warehouse.conninfo()) as connection:
        query = "SELECT count(*), count(DISTINCT key) FROM landfall.ledger WHERE status = 'loaded'"
        assert connection.execute(query).fetchone() == (18, 18)


def test_a_second_run_loads_nothing_and_says_so(home, first):
    second = local(home, "demo")
    assert second.returncode == 0
    assert "nothing new: 18 arrivals already loaded" in second.stdout
    assert "loaded      " not in second.stdout
    assert "equal: all 6,832,063 cells" in second.stdout


def test_the_comparison_is_a_command_too(home, first):
    done = local(home, "compare")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("  equal") == 5
