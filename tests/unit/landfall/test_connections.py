"""Connections are read in Airflow's notation, and never show their secrets."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
from botocore import UNSIGNED

from include.landfall.aws import session
from include.landfall.connections import (
    Role,
    Store,
    Warehouse,
    store_from_environ,
    warehouse_from_environ,
)
from include.landfall.errors import ConnectionUnusable
from include.landfall.s3.client import make_client
from include.landfall.s3.errors import s3_errors


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


@pytest.mark.parametrize("read", [warehouse, store])
def test_a_text_that_is_no_connection_is_refused_at_once(read):
    with pytest.raises(ConnectionUnusable, match="cannot be read"):
        read("not json at all")


@pytest.mark.parametrize("value", ['{"conn_type": "mysql", "host": "h"}', "mysql://u:p@h/d"])
def test_a_connection_of_another_type_is_refused_by_name(value):
    with pytest.raises(ConnectionUnusable, match="'warehouse' is no postgres connection") as caught:
        warehouse(value)
    assert caught.value.found == "type mysql"
    with pytest.raises(ConnectionUnusable, match="'landing' is not one to an object store"):
        store(value)


@pytest.mark.parametrize("environ", [{}, {"AIRFLOW_CONN_MY_DB": " "}])
def test_a_connection_that_is_missing_says_where_it_is_looked_for(environ):
    with pytest.raises(ConnectionUnusable, match="AIRFLOW_CONN_MY_DB"):
        warehouse_from_environ("my_db", environ)


ROLE = {"role_arn": "arn:aws:iam::123456789012:role/loader"}
WEB = {"assume_role_method": "assume_role_with_web_identity"}


@pytest.mark.parametrize(
    ("extra", "name", "hint"),
    [
        ({"region": "eu-west-1"}, "'region'", "'region_name'"),
        ({"endpoint": "http://s3"}, "'endpoint'", "'endpoint_url'"),
        ({"verify_ssl": False}, "'verify_ssl'", "'verify'"),
        ({"host": "http://s3"}, "'host'", "endpoint_url"),
        ({"profile": "p"}, "'profile'", "profile_name"),
        ({"session_kwargs": {"profile_name": "p"}}, "'session_kwargs'", "as an extra"),
        ({"external_id": "x-1"}, "'external_id'", "add role_arn"),
        ({"assume_role_kwargs": {"ExternalId": "x-1"}}, "'assume_role_kwargs'", "add role_arn"),
        ({**ROLE, "assume_role_with_saml": {}}, "'assume_role_with_saml'", "web_identity"),
        ({**ROLE, "assume_role_method": "assume_role_with_saml"}, "with_saml", "assume_role or"),
        ({**ROLE, "assume_role_kwargs": {"Externalid": "x"}}, "'Externalid'", "'ExternalId'"),
        ({**ROLE, "assume_role_kwargs": {"SerialNumber": "x"}}, "'SerialNumber'", "take it out"),
        ({**ROLE, **WEB, "external_id": "x-1"}, "'ExternalId'", "take it out"),
        ({**ROLE, "external_id": "a", "assume_role_kwargs": {"ExternalId": "b"}}, "two", "or Ext"),
        ({**ROLE, "assume_role_with_web_identity_token_file": "/t"}, "token_file", "add assume_ro"),
        ({**ROLE, **WEB, "assume_role_with_web_identity_federation": "google"}, "'google'", "file"),
        ({"config_kwargs": {"read_timout": 3}}, "'read_timout'", "'read_timeout'"),
        ({"config_kwargs": {"parameter_validation": False}}, "'parameter_validation'", ""),
        ({"config_kwargs": {"s3": {"style": "path"}}}, "'style'", "use_"),
        ({"config_kwargs": "read_timeout=3"}, "config_kwargs", "object of JSON"),
        ({"service_config": {"s3": {"endpoint": "x"}}}, "'endpoint'", "'endpoint_url'"),
        ({"service_config": {"sts": {"region": "x"}}}, "'region'", "endpoint_url"),
        ({"role_arn": 7}, "role_arn", "int"),
        ({"verify": 7}, "verify", "7"),
    ],
    ids=str,
)  # fmt: skip
def test_6_2_an_extra_of_an_aws_connection_is_understood_or_refused_by_name(extra, name, hint):
    with pytest.raises(ConnectionUnusable) as refused:
        store(json.dumps({"extra": extra}))
    assert name in refused.value.what
    assert hint in str(refused.value)


def test_6_2_every_extra_has_its_place_in_the_store():
    extra = {
        **ROLE, **WEB, "assume_role_with_web_identity_token_file": "/token",
        "assume_role_kwargs": {"DurationSeconds": 900}, "profile_name": "p", "verify": "/ca.pem",
        "region_name": "eu-west-1", "config_kwargs": {"read_timeout": 3, "s3": {}},
        "service_config": {"sts": {"endpoint_url": "http://sts"}, "emr": {"any": "thing"}},
    }  # fmt: skip
    arguments = {"RoleSessionName": "airflow_landing", "DurationSeconds": 900}
    assert store(json.dumps({"extra": extra})) == Store(
        region="eu-west-1", profile="p", verify="/ca.pem", config=extra["config_kwargs"],
        role=Role(ROLE["role_arn"], arguments, True, "/token", "http://sts"),
    )  # fmt: skip
    assert store('{"extra": {"verify": "False", "region_name": "", "role_arn": null}}') == Store(
        verify=False
    )


@pytest.mark.parametrize(
    ("config", "name", "value"),
    [({"read_timeout": 3}, "read_timeout", 3), ({"retries": {"max_attempts": 9}}, "retries", 10),
     ({"retries": {"max_attempts": 9}}, "retries", "standard"),
     ({"s3": {"addressing_style": "virtual"}}, "s3", "virtual")],
)  # fmt: skip
def test_6_2_config_kwargs_go_before_the_project_s_own(config, name, value):
    extra = {"endpoint_url": "http://s3", "config_kwargs": config}
    with closing(make_client(store(json.dumps({"extra": extra})))) as client:
        assert str(value) in str(getattr(client.meta.config, name))
        assert client.meta.config.connect_timeout == 10


@pytest.mark.parametrize(
    "config", [{"retries": {"mode": "never"}}, {"retries": 3}, {"s3": {"addressing_style": "x"}},
               {"connect_timeout": "soon"}, {"signature_version": "v9"}],
)  # fmt: skip
def test_6_2_a_wrong_value_in_config_kwargs_is_no_traceback(config):
    strange = store(json.dumps({"extra": {"config_kwargs": config}, "login": "k", "password": "s"}))
    with pytest.raises(ConnectionUnusable), s3_errors("b"):
        make_client(strange).list_buckets()


def test_a_public_bucket_needs_no_key():
    public = store('{"extra": {"config_kwargs": {"signature_version": "unsigned"}}}')
    with closing(make_client(public)) as client:
        assert client.meta.config.signature_version is UNSIGNED


def test_a_client_needs_one_session_which_takes_the_most_time(mocker):
    made = mocker.spy(session, "Session")
    make_client(Store("http://s3:9000", "key", "secret")).close()
    assert made.call_count == 1


def test_no_repr_and_no_name_shows_a_secret():
    shown = repr(Store("http://s3", "key", "hunter2", "hunter3"))
    held = Warehouse(password="hunter2", options={"sslpassword": "hunter3"})
    shown += repr(Role("r", {"ExternalId": "hunter4"}))
    assert "hunter" not in shown + repr(held) + str(held) + held.name
    assert "hunter2" in held.conninfo()
