"""What the API refuses before it asks any server. It runs here without one."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from include.landfall.connections import Store, Warehouse
from include.local.services.environ import connections
from include.local.services.process import free_ports
from include.reports.api import create_app
from include.reports.making import AWAY
from include.reports.settings import settings

KEY = "a key of sixteen characters"
FLIGHTS = {"report": "flights"}


@pytest.fixture
def application(monkeypatch):
    """The application; no Redis answers at the address in its settings."""
    environ = connections(Warehouse(port=free_ports(1)[0]), Store("http://127.0.0.1:1", "a", "b"))
    (port,) = free_ports(1)
    environ["LANDFALL_REPORTS_BROKER"] = f"redis://:secret@127.0.0.1:{port}/0"
    environ["LANDFALL_REPORTS_KEY"] = KEY
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield create_app()
    settings.cache_clear()


@pytest.fixture
def api(application):
    """A client of the application, with its key."""
    with TestClient(application) as client:
        client.headers["X-API-Key"] = KEY
        yield client


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/reports"), ("POST", "/reports/blocking"), ("GET", "/reports/7"), ("GET", "/"),
        ("GET", "/docs"), ("GET", "/openapi.json"), ("GET", "/health/"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("key", [None, "", "wrong", KEY + "x", KEY[:-1], "ключ"])
def test_without_the_key_every_path_answers_401(api, method, path, key):
    del api.headers["X-API-Key"]
    headers = {} if key is None else {"X-API-Key": key.encode()}
    answer = api.request(method, path, headers=headers, content=b"not even JSON")
    assert answer.status_code == 401
    assert answer.json() == {"error": "the header X-API-Key is missing or wrong"}


@pytest.mark.parametrize("path", ["/reports", "/reports/blocking"])
@pytest.mark.parametrize(
    ("request_body", "field", "message"),
    [
        ({}, "report", "required"),
        ({"report": "raw.flights; DROP TABLE x"}, "report", "'delays_by_carrier'"),
        ({**FLIGHTS, "format": "xlsx"}, "format", "'csv.gz'"),
        ({**FLIGHTS, "first": "2013-02-30"}, "first", "date"),
        ({**FLIGHTS, "last": "yesterday"}, "last", "date"),
        ({**FLIGHTS, "last": "9999-12-31"}, "last", "less than 9999-12-31"),
        ({**FLIGHTS, "first": "2013-02-01", "last": "2013-01-31"}, "last", "ends on 2013-01-31"),
        ({"report": "delays_by_route", "first": "2013-01-01"}, "first", "has no dates"),
        ({"report": "delays_by_weather", "last": "2013-01-01"}, "last", "has no dates"),
        ({"report": "delays_by_carrier", "last": "2013-01-01"}, "last", "has no dates"),
        ({**FLIGHTS, "colour": "red"}, "colour", "not permitted"),
        (["flights"], "body", "object"),
    ],
)
def test_the_answer_to_a_wrong_request_names_the_field(api, path, request_body, field, message):
    answer = api.post(path, json=request_body)
    assert answer.status_code == 422
    assert answer.json()["field"] == field
    assert answer.json()["error"].startswith(f"{field}: ")
    assert message in answer.json()["error"]


def test_a_body_that_is_not_json_is_refused(api):
    answer = api.post("/reports", content=b"{report: flights")
    assert answer.status_code == 422
    assert answer.json()["field"] == "body"


@pytest.mark.parametrize("key", ["", "k" * 201])
def test_an_idempotency_key_of_a_wrong_length_is_refused(api, key):
    answer = api.post("/reports", json=FLIGHTS, headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    assert answer.json()["field"] == "Idempotency-Key"


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/reports"), ("GET", "/reports/7"), ("GET", "/health")]
)
def test_without_redis_nothing_is_accepted(api, method, path):
    answer = api.request(method, path, json=FLIGHTS)
    assert answer.status_code == 503
    assert "Redis is away" in answer.json()["error"]
    assert answer.headers["retry-after"]
    assert "secret" not in answer.text


def test_6_7_a_caller_reads_no_host_role_or_database_and_the_log_has_them(api, caplog):
    answer = api.post("/reports/blocking", json=FLIGHTS)
    assert answer.status_code == 503
    assert answer.json() == {"error": AWAY}
    assert "the database cannot be reached at localhost" in caplog.text


@pytest.mark.parametrize("path", ["/reports", "/reports/blocking"])
@pytest.mark.parametrize("with_length", [True, False], ids=["its length declared", "in chunks"])
def test_6_7_a_body_that_is_too_large_is_refused(api, path, with_length):
    body = b" " * 100_000 if with_length else (b" " * 4096 for _ in range(25))
    answer = api.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert answer.json() == {"error": "the body is larger than 65536 bytes"}


@pytest.mark.parametrize("path", ["/nothing", "/docs", "/redoc", "/openapi.json"])
def test_a_path_that_does_not_exist_is_answered_404_as_json(api, path):
    """The service has no pages of documentation, even for a caller with the key."""
    answer = api.get(path)
    assert answer.status_code == 404
    assert answer.json() == {"error": "Not Found"}


def test_the_application_closes_its_s3_client_when_it_ends(application, mocker):
    with TestClient(application):
        close = mocker.spy(application.state.service.links, "close")
    close.assert_called_once()
