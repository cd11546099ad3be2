"""The lesson on Docker sees where the containers' two files do not agree."""

from __future__ import annotations

import copy

import pytest
import yaml
from airflow.sdk.exceptions import AirflowFailException

from tests.support.lesson_module import ROOT, load


@pytest.fixture(scope="module")
def served():
    return load("docker").served


@pytest.fixture
def services():
    return yaml.safe_load((ROOT / "docker-compose.override.yml").read_text())["services"]


@pytest.fixture
def connection():
    settings = yaml.safe_load((ROOT / "airflow_settings.yaml").read_text())
    (found,) = [c for c in settings["airflow"]["connections"] if c["conn_id"] == "warehouse"]
    return copy.deepcopy(found)


def test_a_connection_has_its_service_and_its_address_inside_and_outside(
    served, services, connection
):
    found = served(connection, services)
    assert found["service"].startswith("warehouse (")
    assert (found["inside"], found["outside"]) == ("warehouse:5432", "127.0.0.1:5433")


def test_a_name_that_no_service_has_is_told(served, services, connection):
    connection["conn_host"] = "wharehouse"
    with pytest.raises(AirflowFailException, match="asks for wharehouse: there is no such service"):
        served(connection, services)


def test_a_port_that_is_open_to_the_network_is_told_with_what_to_write(
    served, services, connection
):
    """Word for word what the page's answer says."""
    services["warehouse"]["ports"] = ["5433:5432"]
    said = "warehouse publishes 5433:5432 to the whole network: write 127.0.0.1:5433:5432"
    with pytest.raises(AirflowFailException, match=f"^{said}$"):
        served(connection, services)
    assert f"`{said}`" in " ".join(load("docker").__doc__.split())


def test_another_password_is_told_without_saying_it(served, services, connection):
    connection["conn_password"] = "hunter2"
    with pytest.raises(AirflowFailException, match="another password") as refused:
        served(connection, services)
    assert "hunter2" not in str(refused.value)


def test_a_port_that_is_not_published_is_told(served, services, connection):
    connection["conn_port"] = 6543
    with pytest.raises(AirflowFailException, match="port 6543"):
        served(connection, services)
