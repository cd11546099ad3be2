"""`check` has one line for each connection: it is usable, or why not and what to do."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time

import psycopg
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from include.landfall import check as check_module
from include.landfall.cli import main as cli
from tests.support.checked import SECRET, check, feed, write
from tests.support.servers import fresh_bucket

__all__ = ["check", "feed"]


def test_what_can_be_used_is_said_with_what_the_role_may_do(check, warehouse, bucket):
    done = check()
    assert (done.code, done.err) == (0, "")
    assert done.of("landing").startswith(f"ok landing s3://{bucket} at http://127.0.0.1:")
    assert done.of("landing").endswith("files under 0 of 1 prefixes")
    assert f"ok warehouse {warehouse.name} PostgreSQL" in done.of("warehouse")
    assert "may make temporary tables; ledger: the first load makes it" in done.of("warehouse")


def test_a_load_is_what_check_foretold(check, feed, client, bucket):
    client.put_object(Bucket=bucket, Key="things/1.csv", Body=b"id\n1\n")
    assert cli.main(["load", "--feed", str(feed)]) == 0
    done = check()
    assert done.of("landing").endswith("files under 1 of 1 prefixes")
    assert done.of("warehouse").endswith("ledger: there")


def test_check_writes_nothing(check, warehouse):
    check()
    with psycopg.connect(warehouse.conninfo()) as connection:
        query = "SELECT to_regnamespace('landfall'), to_regnamespace('raw')"
        assert connection.execute(query).fetchone() == (None, None)


MOVES = {"move_to": "loaded/", "after_days": 0}


def test_a_key_that_may_move_files_moves_and_writes_none(check, feed, client):
    with fresh_bucket(client) as own:  # versions would stay in that of the other tests
        client.put_bucket_versioning(Bucket=own, VersioningConfiguration={"Status": "Enabled"})
        write(feed, own, source={"loaded_files": MOVES})
        assert check().code == 0
        left = client.list_object_versions(Bucket=own)
        assert not left.keys() & {"Versions", "DeleteMarkers"}


@pytest.mark.parametrize(
    ("operation", "right"),
    [
        ("ListObjectsV2", "s3:ListBucket"),
        ("GetObject", "s3:GetObject, and kms:Decrypt where the object is encrypted"),
        ("DeleteObject", "s3:DeleteObject below things/"),
        ("PutObject", "s3:PutObject below loaded/"),
    ],
)
def test_a_right_that_the_key_lacks_is_named_and_a_load_names_it_too(
    check, feed, bucket, client, capsys, mocker, operation, right
):
    write(feed, bucket, source={"loaded_files": MOVES})
    for key in ("things/", "things/_SUCCESS", "things/empty.csv"):  # the first two are no data
        client.put_object(Bucket=bucket, Key=key, Body=b"")
    assert check().code == 0
    real = BaseClient._make_api_call

    def refuse(client, name, arguments):
        if name == operation:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, name)
        return real(client, name, arguments)

    mocker.patch.object(BaseClient, "_make_api_call", refuse)
    done = check()
    assert done.code == 3
    assert f"what to do: allow the connection's key {right}" in done.of("landing")
    if operation in {"ListObjectsV2", "GetObject"}:
        client.put_object(Bucket=bucket, Key="things/1.csv", Body=b"id\n1\n")
        assert cli.main(["load", "--feed", str(feed)]) == 3
        assert f"allow the connection's key {right}" in capsys.readouterr().err


def test_a_wrong_password_and_the_other_connection_is_asked_all_the_same(check, wrong):
    wrong(database={"password": SECRET})
    done = check()
    assert done.code == 3
    assert done.of("warehouse").startswith("FAILED")
    assert "password authentication failed" in done.of("warehouse")
    assert "what to do: check the connection's user, password" in done.of("warehouse")
    assert done.of("landing").startswith("ok")


@pytest.mark.parametrize("change", [{"secret_key": SECRET}, {"access_key": SECRET}])
def test_a_wrong_key(check, wrong, change):
    wrong(store=change)
    done = check()
    assert done.code == 3
    assert "the object store refused the key" in done.of("landing")
    assert done.of("warehouse").startswith("ok")


def test_no_key_at_all(check, wrong, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    wrong(store={"access_key": None, "secret_key": None})
    done = check()
    assert done.code == 3
    assert "there is no key for the object store" in done.of("landing")


def test_no_such_bucket(check, feed):
    write(feed, "nowhere-at-all")
    done = check()
    assert done.code == 4
    assert "there is no bucket 'nowhere-at-all'" in done.of("landing")


def test_no_such_host(check, wrong):
    wrong(store={"endpoint_url": "http://nowhere.invalid:9000"}, database={"host": "no.invalid"})
    done = check()
    assert done.code == 75
    assert "cannot be reached; found: Could not connect" in done.of("landing")
    assert "cannot be reached at no.invalid" in done.of("warehouse")
    assert done.all.count("retry") == 2


def test_a_port_where_nobody_listens(check, wrong):
    wrong(store={"endpoint_url": "http://127.0.0.1:1"}, database={"port": 1})
    done = check()
    assert done.code == 75
    assert "Connection refused" in done.of("warehouse")
    assert "cannot be reached" in done.of("landing")


@pytest.fixture
def silent():
    """The port of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_host_that_never_answers_is_given_up_in_seconds(check, wrong, silent):
    wrong(store={"endpoint_url": f"http://127.0.0.1:{silent}"}, database={"port": silent})
    started = time.monotonic()
    done = check()
    assert done.code == 75
    assert [line.split()[0] for line in done.lines] == ["FAILED", "FAILED"]
    assert time.monotonic() - started < check_module.ALL_SECONDS


def test_what_no_library_gives_up_is_given_up_all_the_same(check, wrong, silent, mocker):
    mocker.patch.object(check_module, "ALL_SECONDS", 0.5)
    wrong(database={"port": silent})
    done = check()
    assert done.code == 75
    assert "no answer in 0.5 s" in done.of("warehouse")
    assert done.of("landing").startswith("ok")


def test_a_thread_that_waits_does_not_keep_the_program(feed, connections, silent):
    program = (
        "import sys, include.landfall.check as c; from include.landfall.cli.main import main\n"
        "c.ALL_SECONDS, c.ANSWER_SECONDS = 1, 60\n"
        f"sys.exit(main(['check', '--feed', {str(feed)!r}]))"
    )
    wrong = f"postgres://u:{SECRET}@127.0.0.1:{silent}/d"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=False, timeout=50,
        env={"PATH": "", "PYTHONPATH": ".", **connections, "AIRFLOW_CONN_WAREHOUSE": wrong},
    )  # fmt: skip
    assert (done.returncode, "no answer in 1 s" in done.stdout) == (75, True)
    assert done.stderr == ""


def test_another_server_at_the_store_s_port(check, wrong, warehouse):
    wrong(store={"endpoint_url": f"http://127.0.0.1:{warehouse.port}"})
    assert "FAILED" in check().of("landing")


@pytest.mark.parametrize("endpoint", ["127.0.0.1:9000", "nonsense", "http://"])
def test_an_endpoint_that_is_no_url(check, wrong, endpoint):
    wrong(store={"endpoint_url": endpoint})
    done = check()
    assert done.code == 3
    assert "the connection's endpoint_url cannot be read" in done.of("landing")


def test_a_password_inside_the_endpoint_is_not_shown(check, wrong):
    wrong(store={"endpoint_url": f"http://user:{SECRET}@127.0.0.1:1"})
    assert "cannot be reached" in check().of("landing")
    assert check("--json").code == 75


def test_no_connection_is_set_at_all(check, monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_LANDING")
    monkeypatch.delenv("AIRFLOW_CONN_WAREHOUSE")
    done = check()
    assert done.code == 3
    for name in ("landing", "warehouse"):
        assert f"'{name}' is not in the environment" in done.of(name)
        assert f"AIRFLOW_CONN_{name.upper()}" in done.of(name)
        assert "make -s env" in done.of(name)


def test_a_connection_whose_name_is_misspelt(check, feed, bucket):
    write(feed, bucket, target="wharehouse")
    done = check()
    assert done.code == 3
    assert "did you mean 'warehouse'?" in done.of("wharehouse")
    assert done.of("landing").startswith("ok")


def test_a_connection_that_cannot_be_read(check, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", f'{{"password": "{SECRET}"')
    assert "AIRFLOW_CONN_WAREHOUSE cannot be read" in check().of("warehouse")


def test_each_connection_is_asked_once_and_a_broken_feed_hides_no_other(check, feed, bucket):
    more, broken = feed.with_name("more.yaml"), feed.with_name("broken.yaml")
    write(more, bucket)
    broken.write_text("feed: broken\nsorce: {}\n")
    done = check(feeds=[feed, broken, more])
    assert done.code == 2
    assert [line.split()[:2] for line in done.lines] == [
        ["FAILED", "broken.yaml"], ["ok", "landing"], ["ok", "warehouse"],
    ]  # fmt: skip
    assert "line 2: unknown key 'sorce'" in done.of("broken.yaml")
    assert "did you mean 'source'?" in done.of("broken.yaml")
    assert done.of("landing").endswith("0 of 2 prefixes")


def test_the_lowest_code_is_the_one_that_no_retry_helps(check, wrong):
    wrong(store={"endpoint_url": "http://127.0.0.1:1"}, database={"password": SECRET})
    assert check().code == 3


def test_programs_get_one_json_object_a_line(check, wrong, warehouse):
    wrong(store={"secret_key": SECRET})
    done = check("--json")
    landing, database = map(json.loads, done.lines)
    assert (landing["connection"], landing["reachable"]) == ("landing", False)
    assert landing["error"]["kind"] == "ConnectionUnusable"
    assert landing["error"]["retryable"] is False
    assert (database["address"], database["error"]) == (warehouse.name, None)


def test_without_a_feed_all_of_the_project_s_are_asked(check, object_store, client):
    done = check(feeds=[])
    assert {line.split()[1] for line in done.lines} == {"landing", "warehouse"}
    assert "s3://landing at" in done.of("landing")
