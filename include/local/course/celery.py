"""The walk of executors and Celery: a report service for its time, asked by a DAG in both ways."""

from __future__ import annotations

import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from include.landfall.feed.yaml_file import read_feed
from include.landfall.load import load
from include.landfall.s3.listing import find_arrival
from include.local.course.classroom import Classroom, Seen, expect
from include.local.demo.seed import BUCKET, files
from include.local.reports.programs import find_reports, report_service
from include.local.state import PROJECT

DAG_ID = "lesson_19_celery"
CONNECTION = "reports"
JANUARY = "flights/2013-01.csv"


def celery(room: Classroom) -> Seen:
    """The queued report is answered for sooner than the blocking one, arrives, and is the same."""
    _load_january(room)
    with _service(room):
        run = room.run(DAG_ID)
    found = room.xcom(run, "compare")
    expect(found["rows"][0] > 5_000, f"expected a week of flights, seen: {found}")
    expect(found["rows"][0] == found["rows"][1], f"expected the same rows, seen: {found}")
    blocking, queued = (_bytes(room, report_id) for report_id in found["ids"])
    expect(blocking == queued, f"expected the same bytes of both, seen: {found['bytes']}")
    expect(
        found["queued"] < found["blocking"],
        f"expected the queued report to be answered for sooner, seen: {found}",
    )
    return Seen(
        f"the blocking way answered after {found['blocking']:.2f} s, the queued one after "
        f"{found['queued']:.3f} s; its report was there after {found['made_after']:.1f} s",
        {**found, "size": len(queued)},
    )


def _load_january(room: Classroom) -> None:
    """As its feed would: a later load of the feed finds it loaded."""
    client = room.client
    if not client.list_objects_v2(Bucket=BUCKET, Prefix=JANUARY).get("Contents"):
        body = next(body for name, body in files() if name == JANUARY)
        client.put_object(Bucket=BUCKET, Key=JANUARY, Body=body)
    load(
        read_feed(PROJECT / "include" / "feeds" / "flights.yaml"),
        find_arrival(client, BUCKET, JANUARY),
        store=room.services.object_store.store, warehouse=room.services.postgres.warehouse,
    )  # fmt: skip


@contextmanager
def _service(room: Classroom) -> Iterator[None]:
    """The service that runs in this home, or one of our own; Airflow has a connection to it."""
    running = find_reports(room.home)
    if running:
        _connect(room, *running)
        yield
        return
    warehouse, store = room.services.postgres.warehouse, room.services.object_store.store
    with report_service(room.home, warehouse, store) as service:
        _connect(room, service.address, service.key)
        try:
            yield
        finally:
            room.api.delete(f"connections/{CONNECTION}")


def _connect(room: Classroom, address: str, key: str) -> None:
    with suppress(urllib.error.HTTPError):  # one that an earlier walk or its reader has made
        room.api.delete(f"connections/{CONNECTION}")
    where = urlsplit(address)
    body = {
        "connection_id": CONNECTION, "conn_type": "http", "host": where.hostname,
        "port": where.port, "password": key,
    }  # fmt: skip
    room.api.post("connections", body)


def _bytes(room: Classroom, report_id: str) -> bytes:
    key = f"reports/flights/{report_id}.csv.gz"
    return room.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
