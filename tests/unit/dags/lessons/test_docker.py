"""The lesson on Docker reports where the two files of the containers do not agree."""

from __future__ import annotations

import copy

import pytest
import yaml
from airflow.sdk.exceptions import AirflowFailException

from tests.support.lesson_module import ROOT, load


@pytest.fixture(scope="module")
def service_of():
    return load("docker").service_of


@pytest.fixture
def services():
    return yaml.safe_load((ROOT / "docker-compose.override.yml").read_text())["services"]


@pytest.fixture
def connection():
    settings = yaml.safe_load((ROOT / "airflow_settings.yaml").read_text())
    connections = settings["airflow"]["connections"]
    (warehouse,) = [each for each in connections if each["conn_id"] == "warehouse"]
    return copy.deepcopy(warehouse)


def test_a_connection_has_its_service_and_its_address_inside_and_outside(
    service_of, services, connection
):
    service = service_of(connection, services)
    assert service["service"].startswith("warehouse (")
    assert (service["inside"], service["outside"]) == ("warehouse:5432", "127.0.0.1:5433")


def test_a_host_that_no_service_has_is_named(service_of, services, connection):
    connection["conn_host"] = "wharehouse"
    with pytest.raises(
        AirflowFailException, match="no service has the name of its host, wharehouse"
    ):
        service_of(connection, services)


def test_a_port_that_is_open_to_the_network_is_named_with_what_to_write(
    service_of, services, connection
):
    services["warehouse"]["ports"] = ["5433:5432"]
    message = "warehouse publishes 5433:5432 to the whole network: write 127.0.0.1:5433:5432"
    with pytest.raises(AirflowFailException, match=f"^{message}$"):
        service_of(connection, services)
    assert f"`{message}`" in " ".join(load("docker").__doc__.split()), "the page's answer"


def test_a_wrong_password_is_reported_and_not_shown(service_of, services, connection):
    connection["conn_password"] = "hunter2"
    with pytest.raises(AirflowFailException, match="its password is not that") as refused:
        service_of(connection, services)
    assert "hunter2" not in str(refused.value)


def test_a_port_that_is_not_published_is_named(service_of, services, connection):
    connection["conn_port"] = 6543
    with pytest.raises(AirflowFailException, match="port 6543"):
        service_of(connection, services)
