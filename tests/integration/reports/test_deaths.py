"""Whoever dies, each accepted report is made, and made once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from include.reports.app import app
from include.reports.catalogue import SOURCES
from include.reports.messages import Messages
from tests.support.report_site import Site, running_site, until

pytestmark = pytest.mark.timeout(300)
QUERY = "SELECT {} FROM raw.flights ORDER BY time_hour, carrier, flight, origin".format(
    ", ".join(SOURCES["flights"].columns)
)


@pytest.fixture(scope="module")
def site(tmp_path_factory, warehouse_server, object_store, client) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("reports")
    with running_site(home, warehouse_server, object_store, client) as site:
        yield site


def in_the_middle(site: Site) -> str:
    """A report of all flights of which some rows have been read."""
    report_id = site.accepted(report="flights")
    until("it is in the middle", lambda: site.record(report_id).rows > 0, pause=0.01)
    assert site.record(report_id).state == "running"
    return report_id


def objects(client, report_id: str) -> list[str]:
    found = client.list_objects_v2(Bucket="landing", Prefix="reports/").get("Contents", [])
    return [entry["Key"] for entry in found if report_id in entry["Key"]]


def made_once(site: Site, client, report_id: str) -> None:
    """Whole, one object, counted once."""
    assert site.done(report_id, 150) == site.copied(QUERY)
    assert objects(client, report_id) == [f"reports/flights/{report_id}.csv"]
    assert site.record(report_id).made == 1
    until("no message of it is left", lambda: not site.records.redis.hlen("unacked"), 120)
    assert site.record(report_id).made == 1


def test_a_killed_process_of_the_pool(site, client):
    """The worker itself sees it, and puts the message back at once; the lease must run out."""
    report_id = in_the_middle(site)
    with site.without_beat():
        for process in site.program("worker").children():
            process.kill()
        made_once(site, client, report_id)
    assert site.attempts(report_id) == 2


def test_a_killed_worker_with_all_its_processes(site, client):
    """Its message is still there, for it had not acknowledged it, and comes again."""
    report_id = in_the_middle(site)
    with site.without_beat():
        site.kill_tree("worker")
        assert objects(client, report_id) == []
        site.start("worker")
        made_once(site, client, report_id)
    assert site.attempts(report_id) == 2


def test_a_killed_worker_s_report_is_asked_for_again_before_its_message_comes(site, client):
    """Beat has it looked for: it runs, and nobody holds its lease."""
    slow = {"LANDFALL_REPORTS_VISIBLE_SECONDS": "3600"}
    site.kill_tree("worker")
    site.start("worker", **slow)
    report_id = in_the_middle(site)
    site.kill_tree("worker")
    site.start("worker", **slow)
    assert site.done(report_id) == site.copied(QUERY)
    site.kill_tree("worker")
    site.start("worker")
    made_once(site, client, report_id)


def test_a_message_that_a_worker_took_along_into_its_death(site, client):
    """Killed after it took the message off the queue and before it noted so: nobody has it."""
    site.kill_tree("worker")
    report_id = site.accepted(report="flights")
    site.records.redis.delete("reports")
    site.start("worker")
    made_once(site, client, report_id)


def test_two_messages_of_a_report_make_it_once(site, client):
    """As when one is delivered again while the first worker still works."""
    report_id = in_the_middle(site)
    site.records.queue(Messages(app).make(report_id))
    made_once(site, client, report_id)
    log = site.service.programs["worker"].log.read_text()
    assert log.count(f"report {report_id}: attempt") == 1
    assert f"report {report_id}: another worker makes it" in log


def test_a_worker_that_was_thought_dead_leaves_the_report_to_the_other(site, client):
    """Stopped for longer than its lease: when it wakes, it may neither end nor count the report."""
    report_id = in_the_middle(site)
    family = [site.program("worker"), *site.program("worker").children()]
    frozen = site.service.programs["worker"]
    for process in family:
        process.suspend()
    until("the lease runs out", lambda: not site.records.redis.exists(f"reports:lease:{report_id}"))
    site.start("worker")
    made = site.done(report_id, 150)
    for process in family:
        process.resume()
    frozen.ask_to_stop()
    frozen.wait(30)
    assert made == site.copied(QUERY)
    made_once(site, client, report_id)
    assert site.attempts(report_id) == 2


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_redis_restarts_with_reports_waiting(site, client, kill):
    """Each was answered with 202; none is lost, and all parts come back by themselves."""
    os.killpg(site.service.programs["worker"].child.pid, signal.SIGSTOP)
    ids = [site.accepted(report="delays_by_weather") for _ in range(20)]
    site.stop_redis(kill=kill)
    away = site.ask("POST", "/reports", {"report": "delays_by_weather"})
    assert away.status == 503
    assert "Redis is away" in away.body["error"]
    assert site.ask("GET", f"/reports/{ids[0]}").status == 503
    assert site.ask("GET", "/health").status == 503
    os.killpg(site.service.programs["worker"].child.pid, signal.SIGCONT)
    site.start_redis()
    assert site.ask("GET", "/health").status == 200
    for each in ids:
        assert site.ended(each, 150)["state"] == "done"
        assert site.record(each).made == 1
    for name in ("api", "worker", "beat"):
        assert site.service.programs[name].child.poll() is None


def test_redis_restarts_in_the_middle_of_a_report(site, client):
    report_id = in_the_middle(site)
    site.stop_redis(kill=True)
    site.start_redis()
    made_once(site, client, report_id)


def test_beat_goes_on_after_a_restart_of_redis(site):
    """What it sends is seen by what it mends: a report that no message asks for."""
    site.kill_tree("worker")
    site.stop_redis()
    site.start_redis()
    report_id = site.accepted(report="delays_by_weather")
    site.records.redis.delete("reports")
    site.start("worker")
    assert site.ended(report_id, 150)["state"] == "done"


def test_a_report_that_kills_its_worker_each_time_is_given_up(site):
    site.kill_tree("worker")
    report_id = site.accepted(report="flights")
    site.records.redis.hset(f"reports:record:{report_id}", "attempts", 5)
    site.start("worker")
    told = site.ended(report_id)
    assert told["state"] == "failed"
    assert "given up after 5 attempts" in told["error"]


def test_a_database_that_is_away_is_waited_for(site, warehouse_server):
    """A wrong port is a server that is away: the report waits for another attempt, then fails."""
    away = site.service.environ["AIRFLOW_CONN_WAREHOUSE"].replace(
        f'"port": {warehouse_server.port}', '"port": 1'
    )
    site.kill_tree("worker")
    worker = site.start("worker", AIRFLOW_CONN_WAREHOUSE=away)
    report_id = site.accepted(report="delays_by_weather")
    until("it has been tried twice", lambda: site.attempts(report_id) >= 2)
    assert site.state(report_id) in ("accepted", "running")
    assert "cannot be reached" in site.ask("GET", f"/reports/{report_id}").body["error"]
    worker.ask_to_stop()
    worker.wait(20)
    site.start("worker")
    told = site.ended(report_id, 150)
    assert told["state"] == "done"
    assert "error" not in told
