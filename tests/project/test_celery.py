"""The compose file of the Celery stack: pinned, checked, closed to the network, no secret in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.celery.yml").read_text()
FILE = yaml.safe_load(TEXT)
SERVICES = FILE["services"]
RUN_ON = sorted(set(SERVICES) - {"airflow-init", "airflow-cli"})
OURS = {"landfall/airflow:local"}
PINS = {
    line.split()[0] for line in (ROOT / "tests/images/pins.txt").read_text().splitlines() if line
}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_of_a_pinned_image_or_of_our_own(name):
    assert SERVICES[name]["image"] in PINS | OURS


@pytest.mark.parametrize("name", RUN_ON)
def test_a_service_is_checked_and_starts_again(name):
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_listens_on_this_machine_only(name):
    assert all(port.startswith("127.0.0.1:${LANDFALL_") for port in SERVICES[name].get("ports", []))


def test_each_port_may_be_changed_by_a_name_of_the_example():
    example = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"\$\{(LANDFALL_\w+_PORT)", TEXT))
    assert named
    assert {name for name in named if f"\n{name}=" not in example} == set()


def test_each_secret_is_one_that_is_made_on_first_use():
    secrets = set(re.findall(r"\$\{(LANDFALL_\w+):\?", TEXT))
    example = (ROOT / ".env.example").read_text()
    assert len(secrets) >= 9
    assert {name for name in secrets if f"\n{name}=\n" not in example} == set()


def test_no_password_stands_in_the_file():
    given = re.findall(r"^ +\w*(?:PASSWORD|SECRET|_KEY): (\S+)", TEXT, re.MULTILINE)
    given += re.findall(r'"password": "([^"]+)"', TEXT)  # of a connection
    given += re.findall(r"://\w*:([^@]+)@", TEXT)  # of an address
    assert len(given) == 15
    assert [value for value in given if not value.startswith("${LANDFALL_")] == []


@pytest.mark.parametrize("part", ["worker-1", "worker-2"])
def test_only_workers_have_the_docker_socket(part):
    socket = "${LANDFALL_DOCKER_SOCKET:-/var/run/docker.sock}:/var/run/docker.sock"
    having = {name for name, s in SERVICES.items() if socket in s.get("volumes", [])}
    assert f"airflow-{part}" in having
    assert having == {"airflow-worker-1", "airflow-worker-2"}
    assert SERVICES[f"airflow-{part}"]["group_add"] == ["${LANDFALL_DOCKER_GID:-999}"]


@pytest.mark.parametrize("name", [name for name in SERVICES if name.startswith("airflow-")])
def test_every_part_of_airflow_shares_what_no_health_check_misses(name):
    environ = SERVICES[name]["environment"]
    shared = ("CORE__EXECUTION_API_SERVER_URL", "API_AUTH__JWT_SECRET", "API__SECRET_KEY")
    for setting in (f"AIRFLOW__{each}" for each in shared):
        assert environ[setting] == FILE["x-airflow-environment"][setting]


def test_it_holds_to_what_compose_1_29_takes_too():
    assert not {"name", "include"} & set(FILE)
    assert "start_interval" not in TEXT


@pytest.mark.parametrize("name", ["Dockerfile", "custom.Dockerfile"])
def test_an_image_installs_from_the_lock_by_hash_and_runs_as_a_plain_user(name):
    text = (ROOT / "include/local/celery" / name).read_text()
    assert "--require-hashes" in text
    assert "--constraint /tmp/requirements/requirements-dev.txt" in text
    assert "USER root" not in text
    assert "--mount" not in text, "the legacy builder refuses it"
