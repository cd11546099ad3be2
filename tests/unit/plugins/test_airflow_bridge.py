"""The bridge gives the engine the same connections in a task, in the triggerer and in a shell."""

from __future__ import annotations

import asyncio

import pytest

from include.airflow_bridge import astore_of, awarehouse_of, store_of, warehouse_of
from include.landfall.connections import Store, store_from_environ, warehouse_from_environ
from include.landfall.errors import ConnectionUnusable

ROLE = "aws://key:secret@/?role_arn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Floader"


def test_6_2_a_role_is_the_same_everywhere(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_LANDING", ROLE)
    in_a_shell = store_from_environ("landing")
    assert in_a_shell.role.arguments == {"RoleSessionName": "airflow_landing"}
    assert store_of("landing") == in_a_shell == asyncio.run(astore_of("landing"))


@pytest.mark.parametrize("named", [True, False])
def test_6_3_a_token_s_aws_connection_is_the_same_everywhere(monkeypatch, named):
    monkeypatch.setenv("AIRFLOW_CONN_RDS" if named else "AIRFLOW_CONN_AWS_DEFAULT", ROLE)
    query = "iam=true&aws_conn_id=rds" if named else "iam=true"
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", f"postgres://loader@db:5432/w?{query}")
    in_a_shell = warehouse_from_environ("warehouse")
    assert in_a_shell.iam.role
    assert warehouse_of("warehouse") == in_a_shell == asyncio.run(awarehouse_of("warehouse"))


def test_6_3_without_any_aws_connection_the_token_is_that_of_aws_s_own_settings(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", "postgres://loader@db:5432/w?iam=true")
    for warehouse in (warehouse_from_environ("warehouse"), warehouse_of("warehouse"),
                      asyncio.run(awarehouse_of("warehouse"))):  # fmt: skip
        assert warehouse.iam == Store()


def test_6_2_a_session_factory_of_airflow_is_refused_by_name(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_LANDING", ROLE)
    monkeypatch.setenv("AIRFLOW__AWS__SESSION_FACTORY", "ours.SessionFactory")
    with pytest.raises(ConnectionUnusable, match="session_factory"):
        store_of("landing")


def test_a_file_in_s3_with_the_connection_of_a_database_is_refused_by_its_type(monkeypatch):
    """Its login and password would go out as keys of AWS: `File("s3://…", conn_id="warehouse")`."""
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", "postgres://loader:secret@/w")
    for ask in (store_of, store_from_environ, lambda name: asyncio.run(astore_of(name))):
        with pytest.raises(ConnectionUnusable, match="is not one to an object store") as refused:
            ask("warehouse")
        assert "postgres" in str(refused.value)
        assert "secret" not in str(refused.value)
