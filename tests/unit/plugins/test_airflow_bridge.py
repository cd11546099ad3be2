"""The bridge gives the engine the same connections in a task, in the triggerer and in a shell."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace

import pytest
from airflow.sdk.configuration import clear_secrets_backends_cache
from airflow.sdk.exceptions import AirflowFailException

from include.airflow_bridge import commands, task
from include.airflow_bridge.connections import astore_of, awarehouse_of, store_of, warehouse_of
from include.airflow_bridge.errors import arrival_errors
from include.airflow_bridge.warnings import load_warnings
from include.landfall.connections import Store, store_from_environ, warehouse_from_environ
from include.landfall.errors import ConnectionUnusable, DataError, ServerUnavailable, shortened
from include.landfall.load import Receipt

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


@pytest.mark.parametrize("program", [".venv/bin/landfall", "python -m include.landfall"])
def test_a_command_that_a_log_names_is_there_where_it_is_named(monkeypatch, tmp_path, program):
    """No image has what make has made."""
    if program.startswith(".venv"):
        (tmp_path / program).parent.mkdir(parents=True)
        (tmp_path / program).touch()
    monkeypatch.setattr(commands, "PROJECT", tmp_path)
    feed = "--feed include/feeds/t.yaml"
    assert commands.status_command("t") == f"{program} status {feed}"
    assert commands.rejects_command("t", "a b") == f"{program} rejects {feed} --object 'a b'"


def test_a_file_in_s3_with_the_connection_of_a_database_is_refused_by_its_type(monkeypatch):
    """Its login and password would go out as keys of AWS: `File("s3://…", conn_id="warehouse")`."""
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", "postgres://loader:secret@/w")
    for ask in (store_of, store_from_environ, lambda name: asyncio.run(astore_of(name))):
        with pytest.raises(ConnectionUnusable, match="is not one to an object store") as refused:
            ask("warehouse")
        assert "postgres" in str(refused.value)
        assert "secret" not in str(refused.value)


WAREHOUSE = {"conn_type": "postgres", "host": "db", "login": "loader", "schema": "w"}
ASK = {
    "store": store_of,
    "warehouse": warehouse_of,
    "store in the triggerer": lambda name: asyncio.run(astore_of(name)),
    "warehouse in the triggerer": lambda name: asyncio.run(awarehouse_of(name)),
}
every_way = pytest.mark.parametrize("ask", ASK.values(), ids=ASK)


@pytest.mark.parametrize(("schema", "database"), [("w", "w"), (None, "of_the_table")])
def test_the_connection_s_own_database_counts(monkeypatch, schema, database):
    monkeypatch.setenv("AIRFLOW_CONN_W", json.dumps({**WAREHOUSE, "schema": schema}))
    assert warehouse_of("w", database="of_the_table").dbname == database


@every_way
@pytest.mark.parametrize(
    "extra", ["{'sslmode': 'require'}", "sslmode=require", '["sslmode"]', '"x"']
)
def test_6_1_an_extra_that_airflow_cannot_read_is_refused_and_not_left_out(monkeypatch, ask, extra):
    """Airflow logs it and goes on with no extra: without TLS, or as another identity."""
    monkeypatch.setenv("AIRFLOW_CONN_W", json.dumps({**WAREHOUSE, "extra": extra}))
    with pytest.raises(ConnectionUnusable, match="extra of the connection 'w' cannot be read"):
        ask("w")


@pytest.mark.parametrize("extra", [None, "", "{}", "{ }", {}])
def test_an_empty_extra_is_no_fault(monkeypatch, extra):
    monkeypatch.setenv("AIRFLOW_CONN_W", json.dumps({**WAREHOUSE, "extra": extra}))
    assert warehouse_of("w").host == "db"


@every_way
@pytest.mark.parametrize("text", ['{"conn_type": "postgres"', "postgres://db:port/w", "[]"])
def test_a_connection_that_is_there_and_unreadable_is_not_called_missing(monkeypatch, ask, text):
    monkeypatch.setenv("AIRFLOW_CONN_W", text)
    with pytest.raises(ConnectionUnusable, match="cannot read the connection 'w'") as refused:
        ask("w")
    assert "AIRFLOW_CONN_W" in str(refused.value)


@every_way
def test_with_a_secrets_backend_a_missing_connection_is_tried_again(monkeypatch, ask):
    """Airflow says the same where the backend does not answer, as while a vault restarts."""
    backend = "airflow.secrets.local_filesystem.LocalFilesystemBackend"
    monkeypatch.setenv("AIRFLOW__WORKERS__SECRETS_BACKEND", backend)
    with pytest.raises(ServerUnavailable, match="secrets backend did not answer") as missing:
        ask("w")
    assert backend in str(missing.value)


@pytest.fixture
def backend_of_a_file(monkeypatch, tmp_path):
    """A secrets backend that answers with connections of a class of its own."""
    role = {"conn_type": "aws", "extra": {"role_arn": "arn:aws:iam::123456789012:role/loader"}}
    database = {**WAREHOUSE, "extra": {"sslmode": "require"}}
    file = tmp_path / "connections.json"
    file.write_text(json.dumps({"filed_store": role, "filed_database": database}))
    backend = "airflow.secrets.local_filesystem.LocalFilesystemBackend"
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND", backend)
    arguments = json.dumps({"connections_file_path": str(file)})
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND_KWARGS", arguments)
    clear_secrets_backends_cache()
    yield
    clear_secrets_backends_cache()


@pytest.mark.usefixtures("backend_of_a_file")
def test_a_connection_of_a_secrets_backend_is_the_same_in_a_task_and_in_the_triggerer():
    store = store_of("filed_store")
    assert store.role
    assert store == asyncio.run(astore_of("filed_store"))
    warehouse = warehouse_of("filed_database")
    assert warehouse.options["sslmode"] == "require"
    assert warehouse == asyncio.run(awarehouse_of("filed_database"))


@every_way
@pytest.mark.parametrize("name", ["", 5, ["warehouse"]], ids=str)
def test_a_connection_without_a_name_is_refused_in_one_message(ask, name):
    if name == "" and ask in (ASK["store"], ASK["store in the triggerer"]):
        return  # without a name, the store is that of aws_default or AWS's own
    with pytest.raises(ConnectionUnusable, match="a connection without a name"):
        ask(name)


@pytest.mark.parametrize("ask", [warehouse_of, lambda name: asyncio.run(awarehouse_of(name))])
def test_a_warehouse_without_a_name_is_refused_in_one_message(ask):
    with pytest.raises(ConnectionUnusable, match="a connection without a name"):
        ask(None)


def test_an_unreadable_default_is_not_passed_over_for_aws_s_own_settings(monkeypatch):
    """The load would run as the machine's role, and not as its owner thinks."""
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", '{"conn_type": "aws"')
    with pytest.raises(ConnectionUnusable, match="aws_default"):
        store_of(None)


@pytest.mark.parametrize(("rejection", "is_named"), [(None, False), (object(), True)])
def test_the_command_that_shows_refused_rows_is_named_where_there_are_some(rejection, is_named):
    """Not where a file is no CSV at all: it would show nothing."""
    refused = DataError("the file is refused")
    refused.rejection = rejection
    with pytest.raises(AirflowFailException) as failure, arrival_errors():
        raise refused.at(feed="t", object="s3://b/a.csv")
    assert ("rejects --feed" in str(failure.value)) is is_named


def test_only_the_tries_of_one_task_have_one_identity(monkeypatch):
    """Else a mapped task would take the rows that another one appends for its own earlier try."""
    of_task = {"dag_id": "d", "task_id": "t", "run_id": "r", "map_index": 1, "try_number": 1}

    def identity(**changes):
        ti = SimpleNamespace(**{**of_task, **changes})
        monkeypatch.setattr(task, "get_current_context", lambda: {"ti": ti})
        return task.task_identity()

    assert identity() == identity(try_number=2)
    others = [{"dag_id": "e"}, {"task_id": "u"}, {"run_id": "s"}, {"map_index": 2}]
    assert len({identity(**each) for each in [{}, *others]}) == 5


FORGED = "a\n[2026-01-01] INFO - all is well\x1b[2J.csv"


def test_5_13_a_key_forges_no_line_of_a_task_s_log():
    receipt = Receipt(
        "orders", "landing", FORGED, "e", 1, "loaded", 1, 0.1, "me", 1, {"cell": 1}, 0, [FORGED],
        FORGED,
    )  # fmt: skip
    warnings = load_warnings(receipt)
    assert len(warnings) == 3
    for warning in warnings:
        assert warning.isprintable(), warning


def test_a_long_text_is_shortened_in_its_middle():
    assert shortened("short", 9) == "short"
    assert shortened("0123456789", 9) == "0123…6789"
    assert shortened("012345678\n", 8).isprintable()
