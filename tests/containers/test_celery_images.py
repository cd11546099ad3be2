"""The two ways to the stack's image: both have what the lock says, and read every DAG."""

from __future__ import annotations

import json
import re

import pytest

from include.local.celery.docker import docker
from include.local.state import PROJECT

pytestmark = pytest.mark.timeout(900)
FILES = {"extended": "Dockerfile", "custom": "custom.Dockerfile"}
DIRECT = ("requirements.txt", "include/local/celery/requirements.txt")
ASK = """
import json
from importlib.metadata import distributions
from airflow.dag_processing.dagbag import DagBag
bag = DagBag("/opt/airflow/dags", bundle_path="/opt/airflow/dags")
known = {d.metadata["Name"].lower().replace("_", "-"): d.version for d in distributions()}
print(json.dumps({"dags": sorted(bag.dags), "errors": bag.import_errors, "packages": known}))
"""


def pins(text: str) -> dict[str, str]:
    """Package to version, of a file that pins every line."""
    return {n.lower(): v for n, v in re.findall(r"^([\w-]+)(?:\[.*\])?==([\w.]+)", text, re.M)}


@pytest.fixture(scope="module", params=FILES)
def image(request):
    """The image, built now: what is there already is not built again."""
    name = f"landfall/airflow:test-{request.param}"
    file = str(PROJECT / "include/local/celery" / FILES[request.param])
    docker("build", "--quiet", "-t", name, "-f", file, str(PROJECT))
    return name


@pytest.fixture(scope="module")
def found(image) -> dict:
    said = docker("run", "--rm", image, "python", "-c", ASK)
    return json.loads(said.splitlines()[-1])


def test_it_reads_every_dag(found):
    assert found["errors"] == {}
    assert {"feed_flights", "flights_marts", "lesson_01_introduction"} <= set(found["dags"])


def test_it_has_what_the_lock_has(found):
    lock = pins((PROJECT / "requirements-dev.txt").read_text())
    asked = {name for file in DIRECT for name in pins((PROJECT / file).read_text())}
    wrong = {name: found["packages"].get(name) for name in asked | {"apache-airflow"}}
    assert {name: version for name, version in wrong.items() if version != lock[name]} == {}


def test_it_runs_as_a_plain_user(image):
    assert docker("run", "--rm", image, "bash", "-c", "id -u; id -g").split() == ["50000", "0"]


def test_what_stays_on_this_machine_is_not_in_it(image):
    there = docker("run", "--rm", image, "bash", "-c", "ls -A /opt/airflow").split()
    assert not {".env", ".git", ".venv", ".local"} & set(there)
