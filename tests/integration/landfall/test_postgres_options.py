"""Faults 6.1 and 6.3: what a Postgres connection says holds, tried on real servers.

One server has a socket and TLS with the test's own certificate; the other one is its standby.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from include.airflow_bridge.connections import warehouse_of
from include.landfall.connections import Store, Warehouse, warehouse_from_environ
from include.landfall.errors import ConnectionUnusable, LandfallError, ServerUnavailable
from include.landfall.postgres.connection import connect

QUERY = "SELECT pg_is_in_recovery(), coalesce(inet_server_port(), 0)"


def server_of(warehouse: Warehouse) -> tuple[bool, int, bool]:
    """Connects, and says whether it is the standby, its port (0: a socket), and whether by TLS."""
    with connect(warehouse) as connection:
        return *connection.execute(QUERY).fetchone(), connection.pgconn.ssl_in_use


def of(server: Warehouse, host=None, port=None, **extra) -> Warehouse:
    return Warehouse.from_fields(
        host=host or server.host, port=port or server.port, schema=server.dbname,
        login=server.user, password=server.password, extra=extra,
    )  # fmt: skip


# ---- several hosts -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attributes", "is_standby"),
    [("read-write", False), ("primary", False), ("standby", True), ("read-only", True),
     ("prefer-standby", True), ("any", True)],
)  # fmt: skip
def test_6_1_of_several_hosts_the_one_with_the_attributes_is_taken(pair, attributes, is_standby):
    ports = f"{pair.standby.port},{pair.primary.port}"
    both = of(pair.primary, "localhost,127.0.0.1", port=None, target_session_attrs=attributes)
    both = replace(both, options={**both.options, "port": ports})
    assert server_of(both)[0] is is_standby


@pytest.mark.parametrize("spelling", ["uri", "field", "extras"])
def test_6_1_several_hosts_have_ports_of_their_own(pair, spelling):
    ports = [pair.standby.port, pair.primary.port]
    hosts = f"127.0.0.1:{ports[0]},localhost:{ports[1]}"
    user = pair.primary
    if spelling == "uri":
        uri = f"postgres://{user.user}:{quote(user.password)}@{hosts}/{user.dbname}"
        environ = {"AIRFLOW_CONN_W": f"{uri}?target_session_attrs=primary"}
        warehouse = warehouse_from_environ("w", environ)
    elif spelling == "field":
        warehouse = of(user, hosts, target_session_attrs="primary")
    else:
        listed = {"port": f"{ports[0]},{ports[1]}", "target_session_attrs": "primary"}
        warehouse = of(user, "127.0.0.1,localhost", **listed)
    assert server_of(warehouse)[:2] == (False, ports[1])
    assert warehouse.name == f"landfall@{hosts.replace('/', '')}/warehouse"


def test_6_1_a_host_that_is_away_is_passed_over(pair, unused_port):
    both = of(pair.primary, f"127.0.0.1:{unused_port},127.0.0.1:{pair.primary.port}")
    assert server_of(both)[1] == pair.primary.port
    with pytest.raises(ServerUnavailable, match=f"127.0.0.1:{unused_port},127.0.0.1:1"):
        server_of(of(pair.primary, f"127.0.0.1:{unused_port},127.0.0.1:1"))


def test_6_1_no_host_with_the_attributes_is_a_matter_of_time(pair):
    with pytest.raises(ServerUnavailable):
        server_of(of(pair.standby, target_session_attrs="primary"))


# ---- sockets -------------------------------------------------------------------------------------


def test_6_1_a_host_may_be_the_folder_of_a_socket(pair):
    user, port = pair.primary, pair.primary.port
    login = f"{user.user}:{quote(user.password)}"
    host = quote(pair.sockets, safe="")
    spellings = [
        f"postgres://{login}@{host}:{port}/{user.dbname}",
        f"postgres://{login}@/{user.dbname}?host={host}&port={port}",
    ]
    assert "Sockets" in pair.sockets  # a URI's host must keep its capital letters
    for uri in spellings:
        assert server_of(warehouse_from_environ("w", {"AIRFLOW_CONN_W": uri}))[1] == 0


# ---- options, as the owner means them ------------------------------------------------------------

REFUSED = ConnectionUnusable
OPTIONS = [
    ({"sslmode": "require"}, True),
    ({"sslmode": "disable"}, False),
    ({"sslmode": "verify-full", "sslrootcert": "CERTIFICATE"}, True),
    ({"sslmode": "verify-full", "sslrootcert": "/nonexistent"}, REFUSED),
    ({"sslmode": "verify-full", "sslrootcert": "system"}, REFUSED),
    ({"sslmode": "verify-ful"}, REFUSED),
    ({"require_auth": "scram-sha-256"}, True),
    ({"require_auth": "none"}, REFUSED),
    ({"require_auth": "nonsense"}, REFUSED),
    ({"channel_binding": "disable", "sslmode": "require"}, True),
    ({"channel_binding": "require", "sslmode": "disable"}, REFUSED),
    ({"ssl_min_protocol_version": "TLSv1.3"}, True),
    ({"ssl_min_protocol_version": "TLSv9"}, REFUSED),
    ({"ssl_max_protocol_version": "TLSv1.2", "sslmode": "require"}, True),
    ({"hostaddr": "127.0.0.1"}, True),
    ({"hostaddr": "nonsense"}, REFUSED),
    ({"connect_timeout": "many"}, REFUSED),
    ({"keepalives": 0}, True),
    ({"keepalives": False}, True),
    ({"target_session_attrs": "primary"}, True),
    ({"target_session_attrs": "leader"}, REFUSED),
    ({"load_balance_hosts": "random"}, True),
    ({"options": "-c statement_timeout=12345"}, True),
    ({"gssencmode": "disable"}, True),
    ({"user": "nobody_here"}, REFUSED),
    ({"password": "wrong"}, REFUSED),
    ({"dbname": "missing"}, REFUSED),
    ({"service": "missing"}, REFUSED),
    ({"client_encoding": "LATIN1"}, REFUSED),
    ({"replication": "database"}, REFUSED),
    ({"sslmodus": "require"}, REFUSED),
    ({"redshift": True}, REFUSED),
    ({"redshift": False}, True),
    ({"workgroup-name": "w"}, REFUSED),
    ({"azure_conn_id": "a"}, REFUSED),
    ({"aws_conn_id": "a"}, REFUSED),
    ({"iam": "perhaps"}, REFUSED),
    ({"log_sql": False, "cursor": "dictcursor"}, True),
]


@pytest.mark.parametrize(("extra", "outcome"), OPTIONS, ids=[str(o[0]) for o in OPTIONS])
def test_6_1_an_option_holds_or_is_refused(pair, certificate, extra, outcome):
    extra = {k: certificate[0] if v == "CERTIFICATE" else v for k, v in extra.items()}
    if isinstance(outcome, bool):
        assert server_of(of(pair.encrypted, **extra))[2] is outcome
        return
    with pytest.raises(LandfallError) as refused:
        server_of(of(pair.encrypted, **extra))
    assert type(refused.value) is outcome, refused.value
    assert pair.primary.password not in str(refused.value)


def test_6_1_an_option_changes_the_session(pair):
    extra = {"options": "-c statement_timeout=12345", "application_name": "ours"}
    with connect(of(pair.primary, **extra)) as connection:
        rows = [connection.execute(f"SHOW {name}").fetchone()[0]
                for name in ("statement_timeout", "application_name")]  # fmt: skip
    assert rows == ["12345ms", "ours"]
    conninfo = of(pair.primary, keepalives=0, connect_timeout=0).conninfo()
    assert "keepalives=0" in conninfo  # a zero is a value
    assert "connect_timeout=0" in conninfo


def test_6_1_a_service_s_file_has_what_the_connection_leaves_out(pair, tmp_path, monkeypatch):
    fields = {"host": "127.0.0.1", "port": pair.primary.port, "dbname": "warehouse",
              "user": "landfall", "password": pair.primary.password}  # fmt: skip
    lines = ["[loads]", *(f"{name}={value}" for name, value in fields.items())]
    (tmp_path / "services").write_text("\n".join(lines))
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    nothing = dict.fromkeys(("host", "port", "schema", "login", "password"))
    warehouse = Warehouse.from_fields(**nothing, extra={"service": "loads"})
    assert server_of(warehouse)[1] == pair.primary.port


# ---- tokens of RDS -------------------------------------------------------------------------------


@pytest.fixture
def unused_port():
    from include.local.services.process import free_ports

    return free_ports(1)[0]


@pytest.fixture
def at_noon(monkeypatch):
    """Signs all tokens at one moment, so that they are equal."""
    noon = datetime(2026, 11, 28, 12)  # noqa: DTZ001  botocore's own form
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_, **__: noon)


def token_of(warehouse: Warehouse, region: str) -> str:
    """The token as boto3 makes it."""
    import boto3

    session = boto3.Session("AKIAKEY", "secret", region_name=region)
    with_region = session.client("rds")
    return with_region.generate_db_auth_token(warehouse.host, warehouse.port, "rds_user")


@pytest.mark.parametrize("read", [warehouse_of, warehouse_from_environ])
def test_6_3_iam_signs_in_with_a_token_of_the_aws_connection(pair, monkeypatch, at_noon, read):
    token = token_of(pair.encrypted, "eu-west-1")
    with psycopg.connect(pair.primary.conninfo(), autocommit=True) as admin:
        with suppress(psycopg.errors.UndefinedObject):
            admin.execute("DROP ROLE rds_user")
        admin.execute(sql.SQL("CREATE ROLE rds_user LOGIN PASSWORD {}").format(token))
    monkeypatch.setenv("AIRFLOW_CONN_RDS", "aws://AKIAKEY:secret@/?region_name=eu-west-1")
    where = f"{pair.encrypted.host}:{pair.encrypted.port}/warehouse"
    uri = f"postgres://rds_user:ignored@{where}?iam=true&aws_conn_id=rds"
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", uri)
    assert server_of(read("warehouse"))[2], "a token must not go over the network in clear text"
    monkeypatch.setenv("AIRFLOW_CONN_RDS", "aws://AKIAKEY:other@/?region_name=eu-west-1")
    with pytest.raises(ConnectionUnusable, match="refused the connection"):
        server_of(read("warehouse"))


def test_6_3_a_token_is_for_one_host_and_needs_a_key(pair, monkeypatch):
    with pytest.raises(ConnectionUnusable, match="a token of RDS is for one host"):
        Warehouse.from_fields(
            host="a,b", port=5432, schema=None, login=None, password=None, extra={}, iam=Store()
        )
    monkeypatch.setenv("AIRFLOW_CONN_W", "postgres://u@h/d?iam=true")
    for name in ("AWS_EC2_METADATA_DISABLED", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConnectionUnusable, match="no token can be made for u@h"):
        server_of(warehouse_from_environ("w"))
    monkeypatch.setenv("AIRFLOW_CONN_W", "postgres://u@h/d?iam=true&aws_conn_id=missing")
    with pytest.raises(ConnectionUnusable, match="'missing' is not in the environment"):
        warehouse_from_environ("w")
