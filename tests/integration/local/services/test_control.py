"""The local services are real servers for this machine alone, and they survive a crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil
import psycopg
import pytest
from botocore.exceptions import ClientError

from include.landfall.s3.client import make_client
from include.local.airflow.home import local_settings
from include.local.services import control
from include.local.services.control import Services
from include.local.services.postgres_server import find_postgres, start_postgres
from include.local.state import PROJECT, read_state, write_state


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder like .local; as pytest makes it, only its owner can enter."""
    folder = tmp_path_factory.mktemp("local")
    yield folder
    control.clean(folder)


@pytest.fixture
def running(home: Path) -> Services:
    return control.up(home)


def command(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "include.local", *arguments],
        capture_output=True, text=True, cwd=PROJECT, check=False,
        env={**os.environ, "LANDFALL_LOCAL": str(home)},
    )  # fmt: skip


def crash(services: Services) -> None:
    """What a power cut does: every process ends, and none was asked to stop."""
    for process in (services.postgres.process, services.object_store.process):
        family = psutil.Process(process.pid)
        everyone = [*family.children(recursive=True), family]
        for member in everyone:
            with suppress(psutil.NoSuchProcess):  # gone with another of its family
                member.kill()
        psutil.wait_procs(everyone, timeout=10)


def test_up_twice_is_the_same_servers(home, running):
    again = control.up(home)
    assert again.postgres.process == running.postgres.process
    assert again.object_store.process == running.object_store.process


def test_they_listen_on_this_machine_alone(running):
    for process in (running.postgres.process, running.object_store.process):
        listening = [
            connection.laddr.ip
            for connection in psutil.Process(process.pid).net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        ]
        assert listening
        assert set(listening) == {"127.0.0.1"}


@pytest.mark.parametrize("password", [None, "", "wrong"])
def test_postgres_asks_for_the_password(running, password):
    stranger = replace(running.postgres.warehouse, password=password).conninfo()
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(stranger, passfile="/dev/null")


def test_postgres_does_not_give_up_durability(running):
    """Whoever tries the guarantees here must try them on a server with fsync."""
    with psycopg.connect(running.postgres.warehouse.conninfo()) as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            assert connection.execute(f"SHOW {setting}").fetchone() == ("on",)


def test_the_object_store_refuses_a_wrong_key(running):
    stranger = replace(running.object_store.store, secret_key="wrong" * 4)
    with (
        closing(make_client(stranger)) as client,
        pytest.raises(ClientError, match="SignatureDoesNotMatch"),
    ):
        client.list_buckets()


def test_the_object_store_refuses_an_unknown_user(running):
    stranger = replace(running.object_store.store, access_key="somebody")
    with (
        closing(make_client(stranger)) as client,
        pytest.raises(ClientError, match="InvalidAccessKeyId"),
    ):
        client.list_buckets()


def test_the_exports_reach_the_services_from_a_shell(home, running):
    exports = command(home, "env").stdout
    script = f"""{exports}
        "$0" -c 'import psycopg; print(psycopg.connect("").info.dbname)'
        "$0" -c 'import boto3; print(boto3.client("s3").list_buckets()["ResponseMetadata"]["HTTPStatusCode"])'
    """  # noqa: E501
    done = subprocess.run(
        ["sh", "-c", script, sys.executable], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("warehouse\n200\n", "")


SETTINGS = """
from airflow.configuration import conf
for name in "database/sql_alchemy_conn", "core/plugins_folder", "core/fernet_key", "api/host":
    print(conf.get(*name.split("/")))
"""


def settings_of_airflow(home: Path, *lines: str) -> list[str]:
    """Reads settings as an Airflow does that starts from a shell with the exports of `make env`."""
    script = "\n".join([command(home, "env").stdout, *lines, '"$0" -c "$1"'])
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    done = subprocess.run(
        ["sh", "-c", script, sys.executable, SETTINGS],
        capture_output=True, text=True, check=True, env=environ,
    )  # fmt: skip
    return done.stdout.splitlines()[-4:]


def test_the_airflow_command_of_that_shell_is_the_one_of_make_airflow(home, running):
    settings = local_settings(home, running.postgres.warehouse)
    assert settings_of_airflow(home) == [
        settings["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"],
        settings["AIRFLOW__CORE__PLUGINS_FOLDER"],
        settings["AIRFLOW__CORE__FERNET_KEY"],
        "127.0.0.1",
    ]


def test_an_airflow_with_another_home_takes_only_the_address_from_that_shell(
    home, running, tmp_path
):
    """The one of the Astro CLI sets its home, and failed without the database "airflow" (7.5)."""
    database, plugins, key, host = settings_of_airflow(home, f"export AIRFLOW_HOME={tmp_path}")
    assert database == f"sqlite:///{tmp_path}/airflow.db"
    assert plugins == f"{tmp_path}/plugins"
    assert key != local_settings(home, running.postgres.warehouse)["AIRFLOW__CORE__FERNET_KEY"]
    assert host == "127.0.0.1"


def test_only_the_owner_can_read_the_passwords(home, running):
    command(home, "env")
    for state in [*home.glob("*/service.json"), home / "airflow" / "airflow.cfg"]:
        assert state.stat().st_mode & 0o077 == 0


def test_data_survives_a_crash_and_the_addresses_stay(home, running):
    with closing(make_client(running.object_store.store)) as client:
        client.create_bucket(Bucket="kept")
        client.put_object(Bucket="kept", Key="a", Body=b"1")
    with psycopg.connect(running.postgres.warehouse.conninfo()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS a")
    crash(running)
    back = control.up(home)
    assert back.postgres.warehouse == running.postgres.warehouse
    assert back.object_store.store == running.object_store.store
    with psycopg.connect(back.postgres.warehouse.conninfo()) as connection:
        assert connection.execute("SELECT a FROM kept").fetchone() == (1,)
    with closing(make_client(back.object_store.store)) as client:
        assert client.get_object(Bucket="kept", Key="a")["Body"].read() == b"1"


def test_a_store_that_cannot_read_yet_is_not_healthy(running):
    """For seconds after a start its master may know no volume server: a GET fails with 500."""

    class Master(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"Topology": {"Max": 0, "Free": 0, "DataCenters": null}}')

        def log_message(self, *_):
            pass

    assert running.object_store.healthy()
    with HTTPServer(("127.0.0.1", 0), Master) as master:
        threading.Thread(target=master.serve_forever, daemon=True).start()
        ports = running.object_store.ports | {"master": master.server_port}
        assert not replace(running.object_store, ports=ports).healthy()
        master.shutdown()
    assert not replace(running.object_store, ports=ports).healthy()


def test_a_pid_that_another_program_has_got_is_left_alone(home, running):
    """After a restart of the machine the remembered pids may belong to other programs."""
    crash(running)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other:
        for name in ("postgres", "object_store"):
            before = {"pid": other.pid, "started": time.time() - 3600}
            write_state(home / name, read_state(home / name) | before)
        pid_file = running.postgres.data / "postmaster.pid"
        pid_file.write_text(pid_file.read_text().replace(str(running.postgres.process.pid),
                                                         str(other.pid), 1))  # fmt: skip
        assert control.down(home) == []
        back = control.up(home)
        assert back.postgres.healthy()
        assert other.poll() is None
        other.kill()


def test_down_stops_both_and_a_second_down_finds_nothing_to_stop(home, running):
    assert command(home, "down").stdout == "stopped postgres and object_store\n"
    assert not running.postgres.process.alive()
    assert not running.object_store.process.alive()
    assert command(home, "down").stdout == "nothing runs\n"
    assert command(home, "status").returncode == 1


def test_a_server_that_cannot_start_says_where_to_read(home, running):
    control.down(home)
    settings = running.postgres.data / "postgresql.conf"
    good = settings.read_text()
    settings.write_text(good + "\nno_such_setting = 1\n")
    done = command(home, "up")
    settings.write_text(good)
    assert done.returncode == 1
    assert "PostgreSQL did not start" in done.stderr
    assert "no_such_setting" in done.stderr
    assert "postgres.log" in done.stderr
    assert "Traceback" not in done.stderr


def test_clean_leaves_no_data_and_nothing_that_refers_to_it(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "demo").mkdir()
    started = control.up(tmp_path)
    control.clean(tmp_path)
    assert not started.postgres.process.alive()
    assert not started.postgres.data.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lock", "mine"]


def test_a_first_start_that_was_killed_is_begun_again(tmp_path):
    """Initdb that was killed leaves a folder that looks like a database and is none."""
    server = start_postgres(tmp_path / "postgres", durable=False)
    server.process.stop(signal.SIGQUIT)
    (server.data / "PG_VERSION").unlink()
    try:
        assert start_postgres(tmp_path / "postgres", durable=False).healthy()
    finally:
        find_postgres(tmp_path / "postgres").remove()
