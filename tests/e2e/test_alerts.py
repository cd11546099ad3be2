"""Whom Airflow tells of a failure, by the examples of docs/operations.md."""

from __future__ import annotations

import importlib.util
import inspect
import json
import socketserver
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_string, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dags.common import alerts, defaults
from dags.late_files import make_dag as make_late_dag
from include.landfall.feed.model import Feed
from tests.support.astro_dags import World, world
from tests.support.feed_dags import make_dag, run_feed_dag
from tests.support.readmes import blocks

__all__ = ["world"]

pytestmark = pytest.mark.timeout(300)

SLACK, EMAIL = [
    block.text
    for block in blocks("docs/operations.md")
    if block.language == "python" and "_FAILED" in block.text
]


class Inbox:
    """What a webhook or a mail server was sent."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def webhook(self) -> HTTPServer:
        """A server that takes what is posted, as Slack does."""
        messages = self.messages

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                messages.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        return HTTPServer(("127.0.0.1", 0), Handler)

    def mail(self) -> socketserver.TCPServer:
        """A server that takes every mail."""
        messages = self.messages

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.answer("220 here")
                for line in iter(self.rfile.readline, b""):
                    if line.strip().upper() == b"DATA":
                        self.answer("354 go on")
                        lines = iter(self.rfile.readline, b".\r\n")
                        messages.append(b"".join(lines).decode())
                    self.answer("250 ok")

            def answer(self, text: str) -> None:
                self.wfile.write(f"{text}\r\n".encode())

        return socketserver.TCPServer(("127.0.0.1", 0), Handler)


@contextmanager
def served(server: socketserver.TCPServer) -> Iterator[int]:
    """Runs the server for the block; gives its port."""
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    """A webhook that the environment names, as that of Slack."""
    inbox = Inbox()
    with served(inbox.webhook()) as port:
        monkeypatch.setenv("SLACK_WEBHOOK", f"http://127.0.0.1:{port}/")
        yield inbox


@pytest.fixture
def use_example(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Does what the page says: the example is the end of dags/common/alerts.py."""

    def use(text: str) -> None:
        path = tmp_path / "edited_alerts.py"  # Airflow looks for the source of a callback
        path.write_text(f"{inspect.getsource(alerts)}\n{text}")
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, path.stem, module)
        spec.loader.exec_module(module)
        for name in ("TASK_FAILED", "RUN_FAILED"):
            monkeypatch.setattr(defaults, name, getattr(module, name))

    return use


@pytest.fixture
def feed(world: World) -> Feed:
    world.put("parcels/bad.csv", "id\n1\nx\n")
    world.put("parcels/good.csv", "id\n2\n")
    return Feed.model_validate(
        {
            "feed": "parcels",
            "source": {"bucket": world.bucket, "pattern": "parcels/*"},
            "target": {"table": "raw.parcels"},
            "columns": {"id": "integer"},
        }
    )


def test_slack_is_told_of_each_refused_file_in_the_engine_s_words_and_once_of_the_run(
    feed: Feed,
    airflow_db: object,
    monkeypatch: pytest.MonkeyPatch,
    use_example: Callable[[str], None],
) -> None:
    with slack(monkeypatch) as inbox:
        use_example(SLACK)
        assert run_feed_dag(make_dag(feed))[0] == "failed"
    of_task, of_run = [json.loads(message)["text"] for message in inbox.messages]
    first, *rest = of_task.splitlines()
    assert first == "feed_parcels.load [parcels/bad.csv] has failed"
    assert {"  line: 3", "  column: id", "  found: x"} <= set(rest)
    assert rest[-1].startswith("log: http")
    assert of_run.startswith("feed_parcels has failed: ")


def test_a_wrong_password_is_told_once_however_many_tasks_meet_it(
    feed: Feed,
    world: World,
    airflow_db: object,
    monkeypatch: pytest.MonkeyPatch,
    use_example: Callable[[str], None],
) -> None:
    wrong = {"conn_type": "postgres", **world.warehouse.__dict__, "login": "nobody"}
    keys = ("conn_type", "host", "port", "login")
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({key: wrong[key] for key in keys}))
    with slack(monkeypatch) as inbox:
        use_example(SLACK)
        state, tasks = run_feed_dag(make_dag(feed))
    assert (state, tasks["new_arrivals"], tasks["loads_to_publish"]) == (
        "failed", ["failed"], ["failed"],
    )  # fmt: skip
    of_task, of_run = [json.loads(message)["text"] for message in inbox.messages]
    assert of_task.startswith("feed_parcels.new_arrivals has failed\n")
    assert of_run.startswith("feed_parcels has failed: ")


def test_a_mail_has_the_engine_s_message_and_comes_also_for_a_killed_task(
    feed: Feed,
    airflow_db: object,
    monkeypatch: pytest.MonkeyPatch,
    use_example: Callable[[str], None],
) -> None:
    inbox = Inbox()
    with served(inbox.mail()) as port:
        connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": port}
        connection["extra"] = {"disable_ssl": True, "disable_tls": True}
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))
        use_example(EMAIL)
        dag = make_dag(feed)
        assert run_feed_dag(dag)[0] == "failed"
        use_example(EMAIL)
        ti = SimpleNamespace(dag_id="feed_parcels", task_id="load")
        defaults.TASK_FAILED[0]({"ti": ti, "dag": dag})  # as for a task that was killed
    mails = [message_from_string(text, policy=policy.default) for text in inbox.messages]
    of_file, of_killed = [html_of(mail) for mail in mails]
    assert mails[0]["Subject"] == "feed_parcels: load has failed"
    assert "object: s3://" in of_file
    assert "found: x" in of_file
    assert of_killed == "<pre>its process was killed</pre>"


def html_of(mail: EmailMessage) -> str:
    (part,) = [each for each in mail.walk() if each.get_content_type() == "text/html"]
    return str(part.get_content()).strip()


def test_an_alert_that_cannot_be_sent_changes_no_state(
    feed: Feed,
    airflow_db: object,
    monkeypatch: pytest.MonkeyPatch,
    use_example: Callable[[str], None],
) -> None:
    monkeypatch.setenv("SLACK_WEBHOOK", "http://127.0.0.1:9/")
    use_example(SLACK)
    state, tasks = run_feed_dag(make_dag(feed))
    assert (state, tasks["load"], tasks["published"]) == (
        "failed", ["failed", "success"], ["success"],
    )  # fmt: skip


def test_a_silence_is_told_once_and_ends_by_itself(
    feed: Feed,
    world: World,
    airflow_db: object,
    monkeypatch: pytest.MonkeyPatch,
    use_example: Callable[[str], None],
) -> None:
    watched = late_after(feed, "1 minute")
    with slack(monkeypatch) as inbox:
        use_example(f"{SLACK}\nRUN_FAILED = []")
        assert run_feed_dag(make_dag(feed))[0] == "failed"  # of two files one is refused
        inbox.messages.clear()
        assert look(watched) == "success"
        for key in ("parcels/bad.csv", "parcels/good.csv"):
            world.client.delete_object(Bucket=world.bucket, Key=key)
        world.run("UPDATE landfall.ledger SET last_modified = last_modified - interval '3 hours'")
        assert [look(watched), look(watched)] == ["failed", "success"]
        world.put("parcels/new.csv", "id\n3\n")
        assert look(watched) == "success"
        world.client.delete_object(Bucket=world.bucket, Key="parcels/new.csv")
        assert look(watched) == "failed"  # another silence
    first, again = [json.loads(message)["text"] for message in inbox.messages]
    lines = first.splitlines()
    assert lines[0] == "late_files.look has failed"
    assert lines[1] == "no new file has come for 3 hours"
    assert f"  object: s3://{world.bucket}/parcels/*" in lines
    assert again.splitlines()[:2] == lines[:2]


def late_after(feed: Feed, length: str) -> Feed:
    source = feed.source.model_copy(update={"late_after": length})
    return feed.model_copy(update={"source": source})


def look(feed: Feed) -> str:
    """Runs the DAG that looks at late feeds; returns the state of the run."""
    dag = make_late_dag([feed])
    assert dag is not None
    return run_feed_dag(dag)[0]
