"""Both Dockerfiles of the stack's image: their packages are the lock's, and they read every DAG."""

from __future__ import annotations

import json
import re

import pytest

from include.local.celery.docker import docker
from include.local.state import PROJECT

pytestmark = pytest.mark.timeout(900)
FILES = {"extended": "Dockerfile", "custom": "custom.Dockerfile"}
DIRECT = ("requirements.txt", "include/local/celery/requirements.txt")
DESCRIBE = """
import json
from importlib.metadata import distributions
from airflow.dag_processing.dagbag import DagBag
bag = DagBag("/opt/airflow/dags", bundle_path="/opt/airflow/dags")
packages = {d.metadata["Name"].lower().replace("_", "-"): d.version for d in distributions()}
print(json.dumps({"dags": sorted(bag.dags), "errors": bag.import_errors, "packages": packages}))
"""


def pins(text: str) -> dict[str, str]:
    """Reads the packages and versions of a file that pins every line."""
    return {n.lower(): v for n, v in re.findall(r"^([\w-]+)(?:\[.*\])?==([\w.]+)", text, re.M)}


@pytest.fixture(scope="module", params=FILES)
def image(request):
    """The image, built from its Dockerfile."""
    name = f"landfall/airflow:test-{request.param}"
    file = str(PROJECT / "include/local/celery" / FILES[request.param])
    docker("build", "--quiet", "-t", name, "-f", file, str(PROJECT))
    return name


@pytest.fixture(scope="module")
def content(image) -> dict:
    """The DAGs and packages of the image."""
    output = docker("run", "--rm", image, "python", "-c", DESCRIBE)
    return json.loads(output.splitlines()[-1])


def test_it_reads_every_dag(content):
    assert content["errors"] == {}
    assert {"feed_flights", "flights_marts", "lesson_01_introduction"} <= set(content["dags"])


def test_its_packages_are_the_lock_s(content):
    lock = pins((PROJECT / "requirements-dev.txt").read_text())
    required = {name for file in DIRECT for name in pins((PROJECT / file).read_text())}
    installed = {name: content["packages"].get(name) for name in required | {"apache-airflow"}}
    assert {name: version for name, version in installed.items() if version != lock[name]} == {}


def test_it_runs_as_a_plain_user(image):
    assert docker("run", "--rm", image, "bash", "-c", "id -u; id -g").split() == ["50000", "0"]


def test_files_of_this_machine_are_not_in_it(image):
    names = docker("run", "--rm", image, "bash", "-c", "ls -A /opt/airflow").split()
    assert not {".env", ".git", ".venv", ".local"} & set(names)
