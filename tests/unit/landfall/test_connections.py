"""Connections are read in Airflow's notation, and never show their secrets."""

from __future__ import annotations

import json

import pytest

from include.landfall.connections import (
    Store,
    Warehouse,
    store_from_environ,
    warehouse_from_environ,
)
from include.landfall.errors import ConnectionUnusable


def warehouse(value):
    return warehouse_from_environ("warehouse", {"AIRFLOW_CONN_WAREHOUSE": value})


def store(value):
    return store_from_environ("landing", {"AIRFLOW_CONN_LANDING": value})


URI = "postgres://some%40body:p%2Fw%3A%40%25@db.example:6543/the%20base?sslmode=require"
JSON = json.dumps(
    {
        "conn_type": "postgres", "host": "db.example", "port": 6543, "schema": "the base",
        "login": "some@body", "password": "p/w:@%", "extra": {"sslmode": "require"},
    }
)  # fmt: skip


@pytest.mark.parametrize("value", [URI, JSON, f"  {URI}\n"])
def test_both_spellings_say_the_same(value):
    expected = Warehouse(
        "db.example", 6543, "the base", "some@body", "p/w:@%", {"sslmode": "require"}
    )
    assert warehouse(value) == expected


def test_extras_may_be_json_inside_the_uri_or_a_string_inside_the_json():
    extra = json.dumps({"endpoint_url": "http://s3:9000", "region_name": "eu-west-1"})
    from urllib.parse import quote

    uri = store(f"aws://key:secret@/?__extra__={quote(extra)}")
    spelled = store(json.dumps({"login": "key", "password": "secret", "extra": extra}))
    assert uri == spelled == Store("http://s3:9000", "key", "secret", region="eu-west-1")


def test_the_service_s_own_endpoint_wins_and_keys_may_stand_in_the_extras():
    extra = {
        "endpoint_url": "http://all", "service_config": {"s3": {"endpoint_url": "http://s3"}},
        "aws_access_key_id": "k", "aws_secret_access_key": "s", "aws_session_token": "t",
    }  # fmt: skip
    assert store(json.dumps({"extra": extra})) == Store("http://s3", "k", "s", "t")
    assert store('{"conn_type": "aws"}') == Store()


def test_what_is_left_out_has_libpq_s_defaults():
    assert warehouse("postgres://") == Warehouse("localhost", 5432, "postgres", "postgres", None)


@pytest.mark.parametrize(
    "value",
    ["postgres://u:hunter2@h:port/d",
     '{"password": "hunter2"', '{"password": "hunter2", "port": "x"}',
     '{"password": "hunter2", "extra": "{"}', "postgres://u:hunter2@h/d?__extra__={",
     '{"password": "hunter2", "extra": [1]}', '{"password": "hunter2", "extra": "7"}'],
)  # fmt: skip
def test_a_connection_that_cannot_be_read_is_named_without_its_secret(value):
    with pytest.raises(ConnectionUnusable, match="AIRFLOW_CONN_WAREHOUSE") as caught:
        warehouse(value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("environ", [{}, {"AIRFLOW_CONN_MY_DB": " "}])
def test_a_connection_that_is_missing_says_where_it_is_looked_for(environ):
    with pytest.raises(ConnectionUnusable, match="AIRFLOW_CONN_MY_DB"):
        warehouse_from_environ("my_db", environ)


def test_no_repr_and_no_name_shows_a_secret():
    shown = repr(Store("http://s3", "key", "hunter2", "hunter3"))
    held = Warehouse(password="hunter2")
    assert "hunter" not in shown + repr(held) + str(held) + held.name
    assert "hunter2" in held.conninfo()
