"""Whose Airflow answers at the port of this project's: its own, or that of the Astro CLI."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from include.local.airflow.api import PARTS
from include.local.airflow.home import password_of, use_port
from include.local.airflow.programs import find_airflow


@pytest.fixture
def serve(tmp_path):
    """Starts a healthy Airflow at the port of the home; `accepts` judges a password."""
    servers = []

    def start(accepts):
        class Airflow(BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer(200, {part: {"status": "healthy"} for part in PARTS})

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                is_accepted = accepts(body["password"])
                self.answer(201 if is_accepted else 401, {"access_token": "t"})

            def answer(self, status, body):
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *arguments):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Airflow)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        use_port(tmp_path, server.server_port)
        return tmp_path

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_the_airflow_of_the_astro_cli_accepts_everybody_and_is_not_taken_for_this_one(serve):
    """`make lessons` ran the lessons there, and `make airflow` sent people there."""
    assert find_airflow(serve(lambda password: True)) is None


def test_the_own_airflow_is_found_by_its_password(serve, tmp_path):
    own = password_of(tmp_path)
    airflow = find_airflow(serve(lambda password: password == own))
    assert airflow is not None
    assert airflow.token == "t"


def test_an_airflow_with_another_password_is_not_this_one(serve):
    assert find_airflow(serve(lambda password: False)) is None
