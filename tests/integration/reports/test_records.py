"""The record of a report in Redis, step by step, and the message that goes with it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest

from include.local.services.redis_server import start_redis
from include.reports.app import app
from include.reports.catalogue import Request
from include.reports.front import Front
from include.reports.messages import Messages
from include.reports.records import OPEN, QUEUE, NewReport, Records, lease_key, record_key
from include.reports.settings import settings

REQUEST = Request(report="flights")
ID = "0" * 32


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator:
    server = start_redis(tmp_path_factory.mktemp("redis"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LANDFALL_REPORTS_BROKER", server.url)
        settings.cache_clear()
        yield server
    settings.cache_clear()
    server.remove()


@pytest.fixture
def records(server) -> Iterator[Records]:
    records = Records(server.url, lease_seconds=30, retries=1)
    records.redis.flushall()
    yield records
    records.redis.close()


def new(report_id: str = ID) -> NewReport:
    message = Messages(app).make(report_id)
    return NewReport(report_id, REQUEST.model_dump_json(), f"reports/{report_id}", message)


def expire_lease(records: Records) -> None:
    """Ends the lease, as Redis does when no worker renews it."""
    assert records.redis.delete(lease_key(ID)) == 1


# ---- the message ---------------------------------------------------------------------------------


def test_a_message_is_the_one_that_celery_itself_puts_into_redis(server, records):
    with app.connection_for_write(server.url) as broker:
        app.send_task("reports.make", task_id=ID, connection=broker, queue=QUEUE)
    by_celery = json.loads(records.redis.lpop(QUEUE))
    by_us = json.loads(Messages(app).make(ID))
    assert by_celery["properties"].pop("delivery_tag") != by_us["properties"].pop("delivery_tag")
    assert by_us == by_celery


def test_each_message_has_its_own_tag():
    messages = Messages(app)
    tags = {json.loads(messages.make(ID))["properties"]["delivery_tag"] for _ in range(5)}
    assert len(tags) == 5


# ---- accepted ------------------------------------------------------------------------------------


def test_a_report_accepted_twice_is_one_record_and_one_message(records):
    assert [records.accept(new()) for _ in range(2)] == ["accepted", "accepted"]
    assert records.redis.llen(QUEUE) == 1
    assert records.redis.smembers(OPEN) == {ID}
    assert records.find(ID).request == REQUEST


def test_the_api_accepts_many_at_once_and_answers_each_with_its_own_request(server, records):
    async def accept() -> list[tuple[str, str]]:
        front = Front(server.url)
        ids = [f"{n:032}" for n in range(300)]
        answers = await asyncio.gather(*(front.accept(new_of(each)) for each in ids))
        await front.close()
        return answers

    def new_of(report_id: str) -> NewReport:
        return NewReport(report_id, f'{{"report":"{report_id}"}}', "place", report_id)

    answers = asyncio.run(accept())
    assert answers == [(f'{{"report":"{n:032}"}}', "accepted") for n in range(300)]
    assert records.redis.llen(QUEUE) == records.redis.scard(OPEN) == 300


def test_the_same_id_twice_at_once_is_one_report(server, records):
    async def accept() -> list[tuple[str, str]]:
        front = Front(server.url)
        both = await asyncio.gather(*(front.accept(new()) for _ in range(2)))
        await front.close()
        return both

    assert asyncio.run(accept()) == [(REQUEST.model_dump_json(), "accepted")] * 2
    assert records.redis.llen(QUEUE) == 1


# ---- the lease -----------------------------------------------------------------------------------


def test_one_worker_takes_the_lease_and_the_other_learns_how_long_it_lasts(records):
    records.accept(new())
    assert records.take(ID, "first") == ("taken", 1)
    answer, milliseconds = records.take(ID, "second")
    assert answer == "held"
    assert 0 < milliseconds <= 30_000
    assert records.find(ID).state == "running"


def test_a_command_sent_again_because_its_answer_was_lost_counts_once(records):
    records.accept(new())
    assert records.take(ID, "first") == records.take(ID, "first") == ("taken", 1)
    assert records.settle(ID, "first", "done", rows=7)
    assert records.settle(ID, "first", "done", rows=7)
    assert records.find(ID).made == 1


def test_an_expired_lease_goes_to_another_worker_and_is_lost_for_the_first(records):
    records.accept(new())
    records.take(ID, "first")
    expire_lease(records)
    assert records.take(ID, "second") == ("taken", 2)
    assert not records.renew(ID, "first", rows=5)
    assert not records.settle(ID, "first", "done", rows=5)
    assert records.find(ID).state == "running"
    assert records.settle(ID, "second", "done", rows=6)
    assert not records.settle(ID, "first", "failed", error="late")
    report = records.find(ID)
    assert (report.state, report.rows, report.made, report.error) == ("done", 6, 1, None)


def test_an_expired_lease_that_no_worker_took_can_be_renewed(records):
    """As when Redis was away for longer than the lease."""
    records.accept(new())
    records.take(ID, "first")
    expire_lease(records)
    assert records.renew(ID, "first", rows=5)
    assert records.take(ID, "second")[0] == "held"
    assert records.find(ID).rows == 5


def test_a_report_that_is_given_back_waits_for_another_attempt(records):
    records.accept(new())
    records.take(ID, "first")
    assert records.settle(ID, "first", "accepted", error="the database is away")
    report = records.find(ID)
    assert (report.state, report.error, "ended" in report.times) == (
        "accepted",
        "the database is away",
        False,
    )
    assert records.redis.smembers(OPEN) == {ID}
    assert records.take(ID, "second") == ("taken", 2)


@pytest.mark.parametrize("state", ["done", "failed"])
def test_an_ended_report_is_not_taken_again_and_expires(records, state):
    records.accept(new())
    records.take(ID, "first")
    records.settle(ID, "first", state, rows=1)
    assert records.take(ID, "second") == (state, 0)
    assert records.redis.smembers(OPEN) == set()
    assert records.redis.ttl(record_key(ID)) > 24 * 3600
    assert records.accept(new()) == state
    assert records.redis.llen(QUEUE) == 1


def test_a_report_that_was_never_requested_is_unknown(records):
    assert records.take(ID, "first") == ("unknown", 0)
    assert records.find(ID) is None


# ---- lost reports --------------------------------------------------------------------------------


def test_a_report_that_waits_is_not_lost(records):
    records.accept(new())
    assert records.lost() == []


def test_a_report_without_a_message_is_lost(records):
    records.accept(new())
    records.redis.delete(QUEUE)
    assert records.lost() == [ID]
    records.queue(new().message)
    assert records.lost() == []


def test_a_report_whose_message_a_worker_holds_is_not_lost(records):
    records.accept(new())
    message = json.loads(records.redis.lpop(QUEUE))
    records.redis.hset("unacked", "tag", json.dumps([message, "", QUEUE]))
    assert records.lost() == []


def test_a_running_report_without_a_lease_is_lost_even_with_a_message(records):
    records.accept(new())
    records.take(ID, "first")
    assert records.lost() == []
    expire_lease(records)
    assert records.lost() == [ID]
