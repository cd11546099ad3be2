"""Whichever part of the service dies, each accepted report is made, and made once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from include.reports.app import app
from include.reports.catalogue import SOURCES
from include.reports.making import AWAY
from include.reports.messages import Messages
from tests.support.report_site import ReportSite, running_site, wait_for

pytestmark = pytest.mark.timeout(300)
QUERY = "SELECT {} FROM raw.flights ORDER BY time_hour, carrier, flight, origin".format(
    ", ".join(SOURCES["flights"].columns)
)


@pytest.fixture(scope="module")
def site(tmp_path_factory, warehouse_server, object_store, client) -> Iterator[ReportSite]:
    home = tmp_path_factory.mktemp("reports")
    with running_site(home, warehouse_server, object_store, client) as site:
        yield site


def start_report(site: ReportSite) -> str:
    """Requests a report of all flights, and waits until some of its rows have been read."""
    report_id = site.submit(report="flights")
    wait_for("some rows are read", lambda: site.record(report_id).rows > 0, pause=0.01)
    assert site.record(report_id).state == "running"
    return report_id


def objects(client, report_id: str) -> list[str]:
    """Lists the objects of a report."""
    entries = client.list_objects_v2(Bucket="landing", Prefix="reports/").get("Contents", [])
    return [entry["Key"] for entry in entries if report_id in entry["Key"]]


def check_made_once(site: ReportSite, client, report_id: str) -> None:
    """Checks that the report is complete, has one object, and is counted once."""
    assert site.download(report_id, 150) == site.copy_csv(QUERY)
    assert objects(client, report_id) == [f"reports/flights/{report_id}.csv"]
    assert site.record(report_id).made == 1
    wait_for("no message of it is left", lambda: not site.records.redis.hlen("unacked"), 120)
    assert site.record(report_id).made == 1


def test_a_killed_process_of_the_pool(site, client):
    """The worker notices it and puts the message back at once; then the lease must run out."""
    report_id = start_report(site)
    with site.without_beat():
        for process in site.program("worker").children():
            process.kill()
        check_made_once(site, client, report_id)
    assert site.attempts(report_id) == 2


def test_a_killed_worker_with_all_its_processes(site, client):
    """The worker had not acknowledged its message, so Redis delivers the message again."""
    report_id = start_report(site)
    with site.without_beat():
        site.kill_tree("worker")
        assert objects(client, report_id) == []
        site.start("worker")
        check_made_once(site, client, report_id)
    assert site.attempts(report_id) == 2


def test_a_killed_worker_s_report_is_requested_again_before_its_message_is_delivered(site, client):
    """Beat starts a search for reports that run without a lease."""
    slow = {"LANDFALL_REPORTS_VISIBLE_SECONDS": "3600"}
    site.kill_tree("worker")
    site.start("worker", **slow)
    report_id = start_report(site)
    site.kill_tree("worker")
    site.start("worker", **slow)
    assert site.download(report_id) == site.copy_csv(QUERY)
    site.kill_tree("worker")
    site.start("worker")
    check_made_once(site, client, report_id)


def test_a_message_that_a_worker_lost_when_it_died(site, client):
    """The worker was killed after it took the message off the queue and before it noted that."""
    site.kill_tree("worker")
    report_id = site.submit(report="flights")
    site.records.redis.delete("reports")
    site.start("worker")
    check_made_once(site, client, report_id)


def test_two_messages_of_a_report_make_it_once(site, client):
    """As when a message is delivered again while the first worker still works."""
    report_id = start_report(site)
    site.records.queue(Messages(app).make(report_id))
    check_made_once(site, client, report_id)
    log = site.service.programs["worker"].log.read_text()
    assert log.count(f"report {report_id}: attempt") == 1
    assert f"report {report_id}: another worker makes it" in log


def test_a_worker_that_lost_its_lease_leaves_the_report_to_the_other(site, client):
    """A worker that was stopped for longer than its lease may neither end nor count the report."""
    report_id = start_report(site)
    family = [site.program("worker"), *site.program("worker").children()]
    frozen = site.service.programs["worker"]
    for process in family:
        process.suspend()
    wait_for(
        "the lease runs out", lambda: not site.records.redis.exists(f"reports:lease:{report_id}")
    )
    site.start("worker")
    made = site.download(report_id, 150)
    for process in family:
        process.resume()
    frozen.ask_to_stop()
    frozen.wait(30)
    assert made == site.copy_csv(QUERY)
    check_made_once(site, client, report_id)
    assert site.attempts(report_id) == 2


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_redis_restarts_with_reports_waiting(site, client, kill):
    """All were answered with 202. None is lost, and all parts reconnect by themselves."""
    os.killpg(site.service.programs["worker"].child.pid, signal.SIGSTOP)
    ids = [site.submit(report="delays_by_weather") for _ in range(20)]
    site.stop_redis(kill=kill)
    away = site.request("POST", "/reports", {"report": "delays_by_weather"})
    assert away.status == 503
    assert "Redis is away" in away.body["error"]
    assert site.request("GET", f"/reports/{ids[0]}").status == 503
    assert site.request("GET", "/health").status == 503
    os.killpg(site.service.programs["worker"].child.pid, signal.SIGCONT)
    site.start_redis()
    assert site.request("GET", "/health").status == 200
    for each in ids:
        assert site.wait_ended(each, 150)["state"] == "done"
        assert site.record(each).made == 1
    for name in ("api", "worker", "beat"):
        assert site.service.programs[name].child.poll() is None


def test_redis_restarts_while_a_report_is_made(site, client):
    report_id = start_report(site)
    site.stop_redis(kill=True)
    site.start_redis()
    check_made_once(site, client, report_id)


def test_beat_continues_after_a_restart_of_redis(site):
    """Only beat can bring back a report whose message is gone."""
    site.kill_tree("worker")
    site.stop_redis()
    site.start_redis()
    report_id = site.submit(report="delays_by_weather")
    site.records.redis.delete("reports")
    site.start("worker")
    assert site.wait_ended(report_id, 150)["state"] == "done"


def test_a_report_that_kills_its_worker_each_time_is_given_up(site):
    site.kill_tree("worker")
    report_id = site.submit(report="flights")
    site.records.redis.hset(f"reports:record:{report_id}", "attempts", 5)
    site.start("worker")
    report = site.wait_ended(report_id)
    assert report["state"] == "failed"
    assert "given up after 5 attempts" in report["error"]


def test_a_report_waits_for_a_database_that_is_away(site, warehouse_server):
    """With a wrong port the database is away: the report waits for another attempt."""
    away = site.service.environ["AIRFLOW_CONN_WAREHOUSE"].replace(
        f'"port": {warehouse_server.port}', '"port": 1'
    )
    site.kill_tree("worker")
    worker = site.start("worker", AIRFLOW_CONN_WAREHOUSE=away)
    report_id = site.submit(report="delays_by_weather")
    wait_for("it has been tried twice", lambda: site.attempts(report_id) >= 2)
    assert site.state(report_id) in ("accepted", "running")
    assert site.request("GET", f"/reports/{report_id}").body["error"] == AWAY
    assert "the database cannot be reached at" in worker.log.read_text()
    worker.ask_to_stop()
    worker.wait(20)
    site.start("worker")
    report = site.wait_ended(report_id, 150)
    assert report["state"] == "done"
    assert "error" not in report
