"""The compose file of the Celery stack: pins, health checks, closed ports, no secret."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from include.local.airflow.home import airflow_settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.celery.yml").read_text()
FILE = yaml.safe_load(TEXT)
SERVICES = FILE["services"]
LONG_RUNNING = sorted(set(SERVICES) - {"airflow-init", "airflow-cli"})
OWN_IMAGES = {"landfall/airflow:local"}
PINS = {
    line.split()[0] for line in (ROOT / "tests/images/pins.txt").read_text().splitlines() if line
}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_a_pinned_image_or_the_project_s(name):
    assert SERVICES[name]["image"] in PINS | OWN_IMAGES


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_a_service_has_a_health_check_and_is_restarted(name):
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_listens_on_this_machine_only(name):
    assert all(port.startswith("127.0.0.1:${LANDFALL_") for port in SERVICES[name].get("ports", []))


def test_each_port_can_be_changed_by_a_variable_of_the_example():
    example = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"\$\{(LANDFALL_\w+_PORT)", TEXT))
    assert named
    assert {name for name in named if f"\n{name}=" not in example} == set()


def test_each_secret_is_generated_on_first_use():
    secrets = set(re.findall(r"\$\{(LANDFALL_\w+):\?", TEXT))
    example = (ROOT / ".env.example").read_text()
    assert len(secrets) >= 9
    assert {name for name in secrets if f"\n{name}=\n" not in example} == set()


def test_no_password_is_in_the_file():
    passwords = re.findall(r"^ +\w*(?:PASSWORD|SECRET|_KEY): (\S+)", TEXT, re.MULTILINE)
    passwords += re.findall(r'"password": "([^"]+)"', TEXT)  # in a connection
    passwords += re.findall(r"://\w*:([^@]+)@", TEXT)  # in a URL
    assert len(passwords) == 15
    assert [value for value in passwords if not value.startswith("${LANDFALL_")] == []


@pytest.mark.parametrize(
    "name",
    ["AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT", "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT"],
)
def test_a_busy_machine_has_as_long_to_read_a_dag_file_as_with_make_airflow(tmp_path, name):
    """With Airflow's 30 s the DAGs of a file that is read slowly are marked as gone."""
    assert str(FILE["x-airflow-environment"][name]) == airflow_settings(tmp_path)[name]


@pytest.mark.parametrize("part", ["worker-1", "worker-2"])
def test_only_workers_have_the_docker_socket(part):
    socket = "${LANDFALL_DOCKER_SOCKET:-/var/run/docker.sock}:/var/run/docker.sock"
    mounting = {name for name, s in SERVICES.items() if socket in s.get("volumes", [])}
    assert f"airflow-{part}" in mounting
    assert mounting == {"airflow-worker-1", "airflow-worker-2"}
    assert SERVICES[f"airflow-{part}"]["group_add"] == ["${LANDFALL_DOCKER_GID:-999}"]


@pytest.mark.parametrize("name", [name for name in SERVICES if name.startswith("airflow-")])
def test_every_part_of_airflow_has_the_same_address_and_secrets(name):
    """No health check fails without them."""
    environ = SERVICES[name]["environment"]
    shared = ("CORE__EXECUTION_API_SERVER_URL", "API_AUTH__JWT_SECRET", "API__SECRET_KEY")
    for setting in (f"AIRFLOW__{each}" for each in shared):
        assert environ[setting] == FILE["x-airflow-environment"][setting]


def test_compose_1_29_can_read_the_file():
    assert not {"name", "include"} & set(FILE)
    assert "start_interval" not in TEXT


@pytest.mark.parametrize("name", ["Dockerfile", "custom.Dockerfile"])
def test_an_image_installs_the_lock_by_hash_and_does_not_run_as_root(name):
    text = (ROOT / "include/local/celery" / name).read_text()
    assert "--require-hashes" in text
    assert "--constraint /tmp/requirements/requirements-dev.txt" in text
    assert "USER root" not in text
    assert "--mount" not in text, "Docker's legacy builder refuses it"
