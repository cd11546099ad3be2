"""Every way of running the project has the same two connections, of the same shape."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from include.landfall.connections import (
    Store,
    Warehouse,
    store_from_environ,
    warehouse_from_environ,
)
from include.landfall.feed.yaml_file import read_feed
from include.local.services.environ import connections
from tests.support.lesson_module import FOLDER, ROOT

NAMES = {"landing", "warehouse"}
EMBEDDED = connections(
    Warehouse("127.0.0.1", 5433, "warehouse", "landfall", "secret"),
    Store("http://127.0.0.1:9000", "key", "secret"),
)


def of_the_settings() -> dict[str, str]:
    """Returns the connections of airflow_settings.yaml in the form of environment variables."""
    listed = yaml.safe_load((ROOT / "airflow_settings.yaml").read_text())["airflow"]["connections"]
    plain = [{key.removeprefix("conn_"): value for key, value in each.items()} for each in listed]
    return {
        f"AIRFLOW_CONN_{each.pop('id').upper()}": json.dumps(
            {"conn_type": each.pop("type"), **each}
        )
        for each in plain
    }


def of_the_example() -> dict[str, str]:
    """Returns the connections of .env.example, which stand there in comments."""
    text = (ROOT / ".env.example").read_text()
    return dict(re.findall(r"^# (AIRFLOW_CONN_\w+)='(.*)'$", text, re.MULTILINE))


WAYS = {"settings": of_the_settings(), "example": of_the_example(), "embedded": EMBEDDED}


def shape(value: str) -> dict[str, object]:
    """Returns the type of a connection, and the names of the fields that have a value."""
    fields = json.loads(value)
    return {
        "type": fields.pop("conn_type"),
        "extra": sorted(fields.pop("extra", {})),
        "fields": sorted(name for name, filled in fields.items() if filled),
    }


@pytest.mark.parametrize("way", WAYS)
def test_every_way_has_both_connections_in_the_same_shape(way):
    assert set(WAYS[way]) == {f"AIRFLOW_CONN_{name.upper()}" for name in NAMES}
    expected = {name: shape(value) for name, value in EMBEDDED.items()}
    assert {name: shape(value) for name, value in WAYS[way].items()} == expected


@pytest.mark.parametrize("way", WAYS)
def test_the_engine_finds_every_field_in_every_way(way):
    """No field may fall back to its default, which would mean another server."""
    warehouse = warehouse_from_environ("warehouse", WAYS[way])
    store = store_from_environ("landing", WAYS[way])
    assert store.endpoint_url
    assert store.access_key
    assert store.secret_key
    assert warehouse.password
    assert warehouse.host not in ("", "localhost")
    assert "postgres" not in (warehouse.dbname, warehouse.user)


def test_the_types_are_those_that_airflow_knows():
    assert shape(EMBEDDED["AIRFLOW_CONN_LANDING"])["type"] == "aws"
    assert shape(EMBEDDED["AIRFLOW_CONN_WAREHOUSE"])["type"] == "postgres"


def test_no_feed_and_no_dag_uses_another():
    feeds = [*(ROOT / "include" / "feeds").glob("*.yaml"), *FOLDER.glob("*.yaml")]
    read = [read_feed(path) for path in feeds]
    used = {feed.source.connection for feed in read} | {feed.target.connection for feed in read}
    code = [path.read_text() for top in ("dags", "plugins") for path in (ROOT / top).rglob("*.py")]
    for text in code:
        used |= set(re.findall(r"""conn_id(?:: str)? ?= ?["'](\w+)["']""", text))
        used |= set(re.findall(r"""(?:S3|Postgres)Hook\(["'](\w+)["']""", text))
    assert used == NAMES
