"""The walk of executors and Celery: a DAG asks a report service for a report in two ways."""

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
    """Checks that a queued request is answered sooner than a blocking one, with the same report."""
    _load_january(room)
    with _service(room):
        run = room.run(DAG_ID)
    both = room.xcom(run, "compare")
    expect(both["rows"][0] > 5_000, f"expected a week of flights, seen: {both}")
    expect(both["rows"][0] == both["rows"][1], f"expected the same rows, seen: {both}")
    blocking, queued = (_bytes(room, report_id) for report_id in both["ids"])
    expect(blocking == queued, f"expected the same bytes of both, seen: {both['bytes']}")
    expect(
        both["queued"] < both["blocking"],
        f"expected the queued request to be answered sooner, seen: {both}",
    )
    return Seen(
        f"the blocking request was answered after {both['blocking']:.2f} s, the queued one after "
        f"{both['queued']:.3f} s; its report was there after {both['made_after']:.1f} s",
        {**both, "size": len(queued)},
    )


def _load_january(room: Classroom) -> None:
    """Loads the flights of January as their feed does: the feed itself then skips them."""
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
    """The service that runs in this home, or one that it starts; Airflow has its connection."""
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
    with suppress(urllib.error.HTTPError):  # there is one after a broken walk, or by hand
        room.api.delete(f"connections/{CONNECTION}")
    parts = urlsplit(address)
    body = {
        "connection_id": CONNECTION, "conn_type": "http", "host": parts.hostname,
        "port": parts.port, "password": key,
    }  # fmt: skip
    room.api.post("connections", body)


def _bytes(room: Classroom, report_id: str) -> bytes:
    key = f"reports/flights/{report_id}.csv.gz"
    return room.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
