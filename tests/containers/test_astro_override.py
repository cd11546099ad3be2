"""docker-compose.override.yml beside the Astro CLI's services: Airflow reaches both servers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from include.local.celery.docker import Compose
from tests.support.docker_cli import docker

pytestmark = pytest.mark.timeout(300)  # a slow machine starts containers slowly
ROOT = Path(__file__).parents[2]
BASE = Path(__file__).parent / "astro_base.yml"
OVERRIDE = ROOT / "docker-compose.override.yml"
PROJECT = f"landfall-test-astro-{os.getpid()}"
LANDING, WAREHOUSE = yaml.safe_load((ROOT / "airflow_settings.yaml").read_text())["airflow"][
    "connections"
]

LIST_BUCKETS = """
import sys, boto3
endpoint, key, secret = sys.argv[1:]
client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1",
                      aws_access_key_id=key, aws_secret_access_key=secret)
print(*[bucket["Name"] for bucket in client.list_buckets()["Buckets"]])
"""
SELECT = """
import sys, psycopg
host, port, dbname, user, password = sys.argv[1:]
with psycopg.connect(host=host, port=port, dbname=dbname, user=user, password=password) as server:
    print(*server.execute("SELECT 1, current_database()").fetchone())
"""


@pytest.fixture(scope="module")
def merged(tmp_path_factory) -> Path:
    """Both files, merged by Compose, without the ports, which may be in use on this machine."""
    config = yaml.safe_load(Compose(PROJECT, (BASE, OVERRIDE)).run("config"))
    for service in config["services"].values():
        service.pop("ports", None)
    config.pop("name", None)
    file = tmp_path_factory.mktemp("astro") / "merged.yml"
    file.write_text(yaml.safe_dump(config))
    return file


@pytest.fixture(scope="module")
def astro(merged):
    """The merged project, running."""
    compose = Compose(PROJECT, (merged,))
    try:
        compose.run("up", "--detach")
        yield compose
    finally:
        compose.run("down", "--volumes", "--timeout", "5")


def run_in_scheduler(compose: Compose, script: str, *arguments: str) -> str:
    """Runs a script in the scheduler's container, and returns what it prints."""
    output = compose.run("exec", "-T", "scheduler", "python", "-c", script, *arguments)
    return output.strip()


@pytest.fixture
def healthy(astro):
    """The project, after the health checks of both servers have passed."""
    from include.local.services.process import wait_until

    for service in ("object-store", "warehouse"):
        name = astro.run("ps", "--quiet", service).strip()
        inspect = ("inspect", "--format={{.State.Health.Status}}", name)
        healthy = wait_until(lambda inspect=inspect: docker(*inspect) == "healthy", 120)
        assert healthy, docker("logs", name)
    return astro


def test_a_task_lists_the_bucket_with_the_key_of_the_settings(healthy):
    key = (LANDING["conn_login"], LANDING["conn_password"])
    endpoint = LANDING["conn_extra"]["endpoint_url"]
    assert run_in_scheduler(healthy, LIST_BUCKETS, endpoint, *key) == "landing"


def test_a_task_asks_the_warehouse_with_the_password_of_the_settings(healthy):
    names = ("conn_host", "conn_port", "conn_schema", "conn_login", "conn_password")
    fields = [str(WAREHOUSE[name]) for name in names]
    assert run_in_scheduler(healthy, SELECT, *fields) == f"1 {WAREHOUSE['conn_schema']}"


def test_down_leaves_nothing(astro):
    """This test is the last of the file, since it removes what the others use."""
    astro.run("down", "--volumes", "--timeout", "5")
    mine = f"--filter=label=com.docker.compose.project={PROJECT}"
    assert docker("ps", "--all", "--quiet", mine) == ""
    assert docker("volume", "ls", "--quiet", mine) == ""
    assert docker("network", "ls", "--quiet", mine) == ""
