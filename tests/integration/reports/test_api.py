"""A report requested over HTTP has the rows of the warehouse, byte for byte."""

from __future__ import annotations

import base64
import getopt
import gzip
import io
import json
import shlex
import urllib.request
from collections.abc import Iterator

import psutil
import psycopg
import pyarrow.parquet as pq
import pytest
import zstandard

from include.reports.app import app
from include.reports.catalogue import SOURCES
from include.reports.links import Links
from include.reports.making import NOT_MADE
from include.reports.settings import from_environ
from tests.bench.burst import burst
from tests.support.readmes import commands
from tests.support.report_site import ReportSite, running_site, status_of, wait_for

pytestmark = pytest.mark.timeout(240)
KEY = "ORDER BY time_hour, carrier, flight, origin"
COLUMNS = ", ".join(SOURCES["flights"].columns)
EXAMPLES = [c for c in commands("docs/reports.md") if c.startswith("curl ")]
ALL = f"SELECT {COLUMNS} FROM raw.flights {KEY}"


@pytest.fixture(scope="module")
def site(tmp_path_factory, warehouse_server, object_store, client) -> Iterator[ReportSite]:
    home = tmp_path_factory.mktemp("reports")
    nightly = {"LANDFALL_REPORTS_NIGHTLY": "* * * * *"}
    with running_site(home, warehouse_server, object_store, client, **nightly) as site:
        yield site


# ---- the files -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SOURCES)
def test_a_report_has_all_columns_of_its_table_in_the_table_s_order(site, name):
    with psycopg.connect(site.warehouse.conninfo()) as connection:
        described = connection.execute(f"SELECT * FROM {SOURCES[name].table} LIMIT 0").description
    assert SOURCES[name].columns == tuple(column.name for column in described)


@pytest.mark.parametrize("name", SOURCES)
def test_the_order_of_a_report_is_a_key_so_the_same_rows_are_the_same_bytes(site, name):
    keys = f"({', '.join(SOURCES[name].order)})"
    query = f"SELECT count(*), count(DISTINCT {keys}) FROM {SOURCES[name].table}"
    with psycopg.connect(site.warehouse.conninfo()) as connection:
        rows, different = connection.execute(query).fetchone()
    assert rows == different > 0


@pytest.mark.parametrize("name", ["delays_by_carrier", "delays_by_weather", "delays_by_route"])
def test_the_report_of_a_mart_is_the_mart(site, name):
    source = SOURCES[name]
    made = site.download(site.submit(report=name))
    assert made == site.copy_csv(f"SELECT * FROM {source.table} ORDER BY {', '.join(source.order)}")


def test_a_report_has_all_flights_and_the_worker_stays_below_200_mb(site):
    made = site.download(site.submit(report="flights"))
    assert made == site.copy_csv(ALL)
    assert made.count(b"\n") == 336_777
    worker = site.program("worker")
    sizes = [p.memory_info().rss for p in (worker, *worker.children(recursive=True))]
    assert len(sizes) == 3, "the worker, and its pool of two"
    assert max(sizes) < 200e6


@pytest.mark.parametrize(
    ("wanted", "where"),
    [
        ({"first": "2013-07-04", "last": "2013-07-04"}, "::date = '2013-07-04'"),
        ({"first": "2013-12-24"}, ">= '2013-12-24'"),
        ({"last": "2013-01-02"}, "< '2013-01-03'"),
    ],
)
def test_a_range_holds_both_its_days_in_utc(site, wanted, where):
    query = f"SELECT {COLUMNS} FROM raw.flights WHERE (time_hour AT TIME ZONE 'UTC'){where} {KEY}"
    made = site.download(site.submit(report="flights", **wanted))
    assert made == site.copy_csv(query)
    assert made.count(b"\n") > 100


def test_a_format_packs_the_same_rows(site):
    day = {"report": "flights", "first": "2013-02-03", "last": "2013-02-03"}
    ids = {
        name: site.submit(**day, format=name) for name in ("csv", "csv.gz", "csv.zst", "parquet")
    }
    made = {name: site.download(report_id) for name, report_id in ids.items()}
    assert gzip.decompress(made["csv.gz"]) == made["csv"]
    unpacked = zstandard.ZstdDecompressor().decompressobj().decompress(made["csv.zst"])
    assert unpacked == made["csv"]
    table = pq.read_table(io.BytesIO(made["parquet"]))
    assert table.column_names == list(SOURCES["flights"].columns)
    assert table.num_rows == made["csv"].count(b"\n") - 1


def test_a_report_shows_its_progress_and_its_times(site):
    report_id = site.submit(report="flights", format="csv.gz")
    running = wait_for(
        "a report that runs shows rows", lambda: _running(site, report_id), pause=0.01
    )
    ended = site.wait_ended(report_id)
    assert 0 < running["rows"] <= ended["rows"] == 336_776
    assert ended["accepted"] <= ended["started"] <= ended["ended"]
    assert ended["bytes"] > 1_000_000
    assert site.record(report_id).made == 1


def _running(site: ReportSite, report_id: str):
    report = site.request("GET", f"/reports/{report_id}").body
    assert report["state"] != "done", "it was done before it showed any rows"
    return report if report["state"] == "running" and report["rows"] else None


def test_6_7_a_report_whose_table_is_missing_fails_and_the_log_has_the_reason(site):
    with psycopg.connect(site.warehouse.conninfo(), autocommit=True) as connection:
        connection.execute("ALTER TABLE marts.delays_by_route RENAME TO away")
        report = site.wait_ended(site.submit(report="delays_by_route"))
        connection.execute("ALTER TABLE marts.away RENAME TO delays_by_route")
    assert report["state"] == "failed"
    assert report["error"] == NOT_MADE
    log = site.service.programs["worker"].log.read_text()
    assert 'relation "marts.delays_by_route" does not exist' in log
    assert "link" not in report


def test_the_blocking_endpoint_makes_the_same_file_before_it_answers(site):
    day = {"report": "flights", "first": "2013-07-04", "last": "2013-07-04"}
    answer = site.request("POST", "/reports/blocking", day)
    assert answer.status == 200
    assert answer.body["rows"] > 700
    with urllib.request.urlopen(answer.body["link"]) as made:
        assert made.read() == site.download(site.submit(**day))


# ---- requests ------------------------------------------------------------------------------------


def test_an_answer_says_where_the_report_is(site):
    answer = site.request("POST", "/reports", {"report": "delays_by_weather"})
    assert answer.headers["location"] == f"/reports/{answer.body['id']}"
    assert answer.body["state"] == "accepted"
    assert site.request("GET", answer.headers["location"]).status == 200


def test_requests_with_the_same_idempotency_key_make_one_report(site):
    wanted = {"report": "delays_by_weather"}
    first, second = (
        site.request("POST", "/reports", wanted, Idempotency_Key="order 7") for _ in range(2)
    )
    site.download(first.body["id"])
    third = site.request("POST", "/reports", wanted, Idempotency_Key="order 7")
    assert {a.body["id"] for a in (first, second, third)} == {first.body["id"]}
    assert third.body["state"] == "done"
    assert site.record(first.body["id"]).made == 1
    assert site.attempts(first.body["id"]) == 1


def test_another_request_with_the_same_idempotency_key_is_refused(site):
    site.request("POST", "/reports", {"report": "delays_by_weather"}, Idempotency_Key="order 8")
    other = site.request("POST", "/reports", {"report": "flights"}, Idempotency_Key="order 8")
    assert other.status == 422
    assert other.body["field"] == "Idempotency-Key"


def test_an_unknown_id_is_404(site):
    answer = site.request("GET", "/reports/0123456789abcdef")
    assert answer.status == 404
    assert "0123456789abcdef" in answer.body["error"]


def test_sixty_requests_at_once_are_each_accepted_and_made_once(site):
    wanted = [{"report": "delays_by_weather"}] * 60
    answers = burst(site.service.ports["api"], "/reports", site.service.key, wanted, 60)
    assert [answer.status for answer in answers] == [202] * 60
    ids = {answer.body["id"] for answer in answers}
    assert len(ids) == 60
    for each in ids:
        assert site.wait_ended(each)["state"] == "done"
    assert {site.record(each).made for each in ids} == {1}


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_of_the_readme_works(site, example):
    """The test reads the arguments of curl itself, since not every machine has curl."""
    report_id = site.submit(report="delays_by_weather")
    names = {"$KEY": site.service.key, "$REPORTS": "", "$ID": report_id}
    for name, value in names.items():
        example = example.replace(name, value)
    curl, silent, *arguments = shlex.split(example)
    assert (curl, silent) == ("curl", "-s")
    options, paths = getopt.gnu_getopt(arguments, "H:d:")
    headers = dict(text.split(": ", 1) for option, text in options if option == "-H")
    body = next((json.loads(text) for option, text in options if option == "-d"), None)
    answer = site.request("GET" if body is None else "POST", *paths, body, **headers)
    assert answer.status in (200, 202)
    if "id" in answer.body and answer.status == 202:
        assert site.wait_ended(answer.body["id"])["state"] == "done"


# ---- links, the nightly report, Flower, secrets --------------------------------------------------


def test_a_link_expires(tmp_path, site, monkeypatch):
    """The test signs a link as the API does, with two seconds to live."""
    report_id = site.submit(report="delays_by_weather")
    made = site.download(report_id)
    for name, value in site.service.environ.items():
        if name.startswith("AIRFLOW_CONN_"):
            monkeypatch.setenv(name, value)
    settings = from_environ({**site.service.environ, "LANDFALL_REPORTS_LINK_SECONDS": "2"})
    link = Links(settings).sign(site.record(report_id).object_key)["link"]
    with urllib.request.urlopen(link) as answer:
        assert answer.read() == made
    wait_for("the link expires", lambda: status_of(link) == 403, 20)


def test_a_link_without_its_signature_opens_nothing(site):
    link = site.wait_ended(site.submit(report="delays_by_weather"))["link"]
    assert status_of(link.partition("?")[0]) == 403


def test_beat_requests_the_nightly_report_and_its_key_has_the_day(site, client):
    """The schedule of these tests is every minute, but a day has only one nightly report."""

    def nightly_keys() -> list[str]:
        listed = client.list_objects_v2(Bucket="landing", Prefix="reports/nightly/")
        return [entry["Key"] for entry in listed.get("Contents", [])]

    (key,) = wait_for("the nightly report exists", nightly_keys, 150, pause=0.5)
    assert key.startswith("reports/nightly/delays_by_carrier/20")
    body = client.get_object(Bucket="landing", Key=key)["Body"].read()
    order = "ORDER BY carrier, year, month"
    assert gzip.decompress(body) == site.copy_csv(f"SELECT * FROM marts.delays_by_carrier {order}")


def test_the_nightly_report_is_made_once_however_often_it_is_requested(site):
    with app.connection_for_write(site.service.redis.url) as broker:
        for _ in range(3):
            app.send_task("reports.nightly", connection=broker, queue="reports-tending")
    nightly = wait_for("the nightly report is done", lambda: _nightly(site))
    wait_for("the three tasks are done", lambda: _idle(site))
    assert {record.made for record in nightly} == {1}
    assert {site.attempts(record.id) for record in nightly} == {1}


def _nightly(site: ReportSite):
    keys = site.records.redis.keys("reports:record:*")
    records = [site.record(key.rpartition(":")[2]) for key in keys]
    nightly = [record for record in records if "/nightly/" in record.object_key]
    return nightly if nightly and all(record.state == "done" for record in nightly) else None


def _idle(site: ReportSite) -> bool:
    redis = site.records.redis
    return not redis.llen("reports-tending") and not redis.hlen("unacked")


def test_flower_shows_the_workers_only_with_its_password(site):
    assert status_of(f"{site.service.flower}/workers") == 401
    page = wait_for("Flower shows the worker", lambda: _workers(site))
    assert any(name.startswith("celery@") for name in page)


def _workers(site: ReportSite) -> dict:
    login = base64.b64encode(f"admin:{site.service.flower_password}".encode()).decode()
    request = urllib.request.Request(
        f"{site.service.flower}/workers?json=1", headers={"Authorization": f"Basic {login}"}
    )
    with urllib.request.urlopen(request) as answer:
        return {each["hostname"]: each for each in json.load(answer)["data"]}


def test_the_service_listens_on_this_machine_only(site):
    programs = [site.program(name) for name in site.service.programs]
    family = [p for each in programs for p in (each, *each.children(recursive=True))]
    family.append(psutil.Process(site.service.redis.process.pid))
    listening = {
        connection.laddr.ip
        for process in family
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_no_secret_is_in_a_log_or_a_command_line(site):
    """This test is the last, so that the logs hold what all the others have done."""
    service = site.service
    secrets = {
        service.key, service.flower_password, service.redis.password, site.warehouse.password,
        json.loads(service.environ["AIRFLOW_CONN_LANDING"])["password"],
    }  # fmt: skip
    logs = {path.name: path.read_text() for path in (site.home / "logs").glob("*.log")}
    assert len(logs) == 4
    assert all(logs.values())
    lines = {name: " ".join(site.program(name).cmdline()) for name in service.programs}
    lines["redis"] = " ".join(psutil.Process(service.redis.process.pid).cmdline())
    leaks = {n for n, text in (logs | lines).items() for secret in secrets if secret in text}
    assert leaks == set()
