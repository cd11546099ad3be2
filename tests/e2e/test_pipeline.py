"""The main job: every DAG runs by `dag.test()` on the real data, again, and after a change.

One process runs the DAGs, as in the demo. The tests build on one another through their fixtures.
"""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from include.landfall.connections import Warehouse
from include.local.demo.compare import TABLES, compare
from include.local.demo.seed import BUCKET, flights_by_month, seed
from include.local.services.environ import connections
from tests.support.databases import fresh_database
from tests.support.servers import fresh_bucket

pytestmark = pytest.mark.timeout(400)

ROOT = Path(__file__).parents[2]
FEEDS = [
    "feed_airlines", "feed_airports", "feed_flight_corrections", "feed_flights", "feed_planes",
    "feed_weather",
]  # fmt: skip
MARTS = ["arrival_corrections", "delays_by_carrier", "delays_by_route", "delays_by_weather"]


@dataclass
class Pipeline:
    """The services, and the program that runs DAGs."""

    client: Any
    warehouse: Warehouse
    runner: subprocess.Popen[str]
    answers: Any
    log: Path
    outcomes: dict[str, Any] = field(default_factory=dict)

    def run(self, *dag_ids: str) -> dict[str, dict[str, Any]]:
        """Runs the DAGs one after another and returns the outcome of each run."""
        for dag_id in dag_ids:
            self.runner.stdin.write(dag_id + "\n")
            self.runner.stdin.flush()
            self.outcomes[dag_id] = json.loads(self.answers.readline())
        return {dag_id: self.outcomes[dag_id] for dag_id in dag_ids}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.warehouse.conninfo()) as connection:
            return connection.execute(query).fetchall()

    def mart(self, name: str) -> list[tuple[Any, ...]]:
        return self.rows(f"SELECT * FROM marts.{name} ORDER BY 1, 2, 3, 4")

    def exported(self) -> list[dict[str, str]]:
        body = self.client.get_object(Bucket=BUCKET, Key="marts/delays_by_carrier.csv")["Body"]
        return list(csv.DictReader(io.StringIO(body.read().decode())))


@pytest.fixture(scope="module")
def pipeline(warehouse_server, object_store, client, airflow_home, tmp_path_factory):
    with fresh_database(warehouse_server) as database, fresh_bucket(client, BUCKET):
        seed(client)
        yield from running(database, object_store, client, airflow_home, tmp_path_factory)


def running(database, object_store, client, airflow_home, tmp_path_factory):
    log = tmp_path_factory.mktemp("pipeline") / "airflow.log"
    (airflow_home.path / "migrated").touch()
    reading, writing = os.pipe()
    with log.open("w") as output, os.fdopen(reading) as answers:
        runner = subprocess.Popen(
            [sys.executable, "-m", "include.local.airflow.dag_runner", str(writing)],
            env={**airflow_home.environ, **connections(database, object_store)},
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds=[writing],
            text=True,
        )
        os.close(writing)
        ready = answers.readline()
        assert json.loads(ready)["state"] == "ready", log.read_text()
        yield Pipeline(client, database, runner, answers, log)
        runner.stdin.close()
        runner.wait(60)


@pytest.fixture(scope="module")
def too_early(pipeline):
    return pipeline.run("flights_marts")["flights_marts"]


@pytest.fixture(scope="module")
def loaded(pipeline, too_early):
    outcomes = pipeline.run(*FEEDS, "flights_marts")
    bad = {name: outcome for name, outcome in outcomes.items() if outcome["state"] != "success"}
    assert not bad, f"{bad}\n{pipeline.log.read_text()[-8000:]}"
    return pipeline


@pytest.fixture(scope="module")
def again(loaded):
    loaded.before = {mart: loaded.mart(mart) for mart in MARTS}
    loaded.ledger_before = loaded.rows("SELECT * FROM landfall.ledger ORDER BY load_id")
    loaded.run(*FEEDS)
    return loaded


@pytest.fixture(scope="module")
def changed(again):
    """March arrives again without one airline, and every delay is an hour longer."""
    again.raw_before = march_apart(again)
    header, *lines = flights_by_month()[3].decode().splitlines()
    rows = [dict(zip(header.split(","), line.split(","), strict=True)) for line in lines]
    rows = [row for row in rows if row["carrier"] != "HA"]
    for row in rows:
        if row["arr_delay"] != "NA":
            row["arr_delay"] = str(int(row["arr_delay"]) + 60)
    text = "\n".join([header, *(",".join(row.values()) for row in rows)]) + "\n"
    (key,) = [name for (name,) in again.rows(
        "SELECT key FROM landfall.ledger WHERE key LIKE 'flights/2013-03%'"
    )]  # fmt: skip
    again.client.put_object(Bucket=BUCKET, Key=key, Body=text.encode())
    again.changed_rows = len(rows)
    again.run("feed_flights", "flights_marts")
    return again


def march_apart(pipeline):
    """A fingerprint of each month's rows, with the loads that they came from."""
    return dict(
        pipeline.rows(
            "SELECT month, (count(*), min(_load_id), max(_load_id), sum(hashtext(f::text)))::text"
            " FROM raw.flights f GROUP BY month"
        )
    )


def test_the_marts_wait_for_feeds_that_never_loaded(too_early):
    assert too_early["state"] == "success"
    assert "inputs_landed" in too_early["skipped"]


def test_every_file_is_one_row_of_the_ledger(loaded):
    counts = loaded.rows("SELECT feed, count(*), sum(rows) FROM landfall.ledger GROUP BY feed")
    files_and_rows = {feed: (files, rows) for feed, files, rows in counts}
    # A report that comes after a newer one has fewer rows for the table.
    corrections = files_and_rows.pop("flight_corrections")
    assert corrections[0] == 2
    assert 717 <= corrections[1] <= 717 + 54
    assert files_and_rows == {
        "flights": (12, 336_776),
        "weather": (1, 26_115),
        "planes": (1, 3_322),
        "airports": (1, 1_458),
        "airlines": (1, 16),
    }
    assert loaded.rows("SELECT DISTINCT status FROM landfall.ledger") == [("loaded",)]


def test_every_column_of_every_row_is_the_sources(loaded):
    verdicts = compare(loaded.warehouse.conninfo())
    assert [verdict.table for verdict in verdicts] == list(TABLES)
    assert not [verdict for verdict in verdicts if not verdict.equal]


def test_each_flight_has_its_newest_correction_and_the_mart_shows_them(loaded):
    query = "SELECT count(*), min(arr_delay) >= -60 FROM raw.flight_corrections"
    assert loaded.rows(query) == [(717, True)]
    query = (
        "SELECT sum(corrected), bool_or(mean_arr_delay > mean_arr_delay_first)"
        " FROM marts.arrival_corrections"
    )
    assert loaded.rows(query) == [(717, True)]


def test_the_marts_count_every_flight(loaded):
    for mart in MARTS:
        assert loaded.rows(f"SELECT sum(flights) FROM marts.{mart}") == [(336_776,)]
    assert len(loaded.mart("delays_by_carrier")) == 16 * 12
    assert {row[1] for row in loaded.mart("delays_by_weather")} >= {"rain", "fog", "wind", "fair"}


def test_the_mart_by_flight_has_each_once_with_what_was_known_before(loaded):
    assert loaded.rows(
        "SELECT count(*), count(arr_delay), count(temp) > 330000 FROM marts.flight_delays"
    ) == [(336_776, 327_346, True)]
    # A flight at 15:00 has the weather of 14:00, the last full hour before it.
    assert loaded.rows(
        "SELECT DISTINCT precip = (SELECT precip FROM raw.weather WHERE origin = 'JFK'"
        " AND (month, day, hour) = (6, 10, 14)) FROM marts.flight_delays"
        " WHERE origin = 'JFK' AND flight_date = '2013-06-10' AND departure_minute / 60 = 15"
    ) == [(True,)]


def test_a_mart_says_what_the_flights_say(loaded):
    mart = loaded.rows(
        "SELECT flights, cancelled, mean_arr_delay, late FROM marts.delays_by_carrier"
        " WHERE carrier = 'UA' AND month = 7"
    )
    assert mart == loaded.rows(
        "SELECT count(*), count(*) - count(dep_time), round(avg(arr_delay), 2),"
        " sum((arr_delay >= 15)::int) FROM raw.flights WHERE carrier = 'UA' AND month = 7"
    )


def test_a_mart_is_back_in_the_bucket(loaded):
    exported = loaded.exported()
    assert len(exported) == 16 * 12
    assert sum(int(row["flights"]) for row in exported) == 336_776


@pytest.mark.parametrize("feed", FEEDS)
def test_a_second_run_loads_nothing_and_says_so(again, feed):
    outcome = again.outcomes[feed]
    assert outcome["state"] == "success"
    assert {"new_arrivals", "load", "published"} <= set(outcome["skipped"])
    assert again.rows("SELECT * FROM landfall.ledger ORDER BY load_id") == again.ledger_before
    assert "nothing new in s3://landing/" in again.log.read_text()


def test_a_changed_month_changes_exactly_its_rows(changed):
    assert changed.outcomes["feed_flights"]["state"] == "success"
    after = march_apart(changed)
    assert {month for month in after if after[month] != changed.raw_before[month]} == {3}
    assert changed.rows("SELECT count(*) FROM raw.flights WHERE month = 3") == [
        (changed.changed_rows,)
    ]


def test_a_changed_month_changes_exactly_its_rows_of_the_mart_by_month(changed):
    assert changed.outcomes["flights_marts"]["state"] == "success"
    before = {(row[0], row[3]): row for row in changed.before["delays_by_carrier"]}
    after = {(row[0], row[3]): row for row in changed.mart("delays_by_carrier")}
    different = {key for key in before | after if before.get(key) != after.get(key)}
    flew = {carrier for (carrier,) in changed.rows(
        "SELECT DISTINCT carrier FROM raw.flights WHERE month = 3"
    )}  # fmt: skip
    assert different == {(carrier, 3) for carrier in flew | {"HA"}}
    assert after["HA", 3][4] == 0
    assert changed.exported()[0]


def test_a_changed_month_reaches_the_marts_that_depend_on_it(changed):
    lost = 336_776 - sum(row[4] for row in changed.mart("delays_by_carrier"))
    assert lost > 0
    for mart in MARTS:
        total = changed.rows(f"SELECT sum(flights) FROM marts.{mart}")
        assert total == changed.rows("SELECT count(*) FROM raw.flights") == [(336_776 - lost,)]
        assert changed.mart(mart) != changed.before[mart]


@pytest.fixture(scope="module")
def poisoned(changed):
    """A good file, with a flight of an unknown airline, and a bad file arrive together."""
    header, first, *_ = flights_by_month()[1].decode().splitlines()
    good = first.replace("2013,1,1", "2014,1,1", 1).replace(",UA,", ",ZZ,")
    bad = first.replace(",UA,", ",UA,many,", 1)
    for name, line in (("good", good), ("bad", bad)):
        body = f"{header}\n{line}\n".encode()
        changed.client.put_object(Bucket=BUCKET, Key=f"flights/2014-{name}.csv", Body=body)
    changed.before = {mart: changed.mart(mart) for mart in MARTS}
    changed.run("feed_flights", "flights_marts")
    return changed


def test_a_bad_file_makes_the_run_red_and_keeps_no_good_one_back(poisoned):
    outcome = poisoned.outcomes["feed_flights"]
    assert (outcome["state"], outcome["failed"]) == ("failed", ["load"])
    assert "published" not in outcome["skipped"]
    entries = poisoned.rows(
        "SELECT key, status, rows, error IS NULL FROM landfall.ledger"
        " WHERE key LIKE 'flights/2014%' ORDER BY key"
    )
    assert [row[:2] for row in entries] == [
        ("flights/2014-bad.csv", "failed"),
        ("flights/2014-good.csv", "loaded"),
    ]
    assert poisoned.rows("SELECT count(*) FROM raw.flights WHERE year = 2014") == [(1,)]


def test_a_red_check_leaves_readers_the_last_good_mart(poisoned):
    """The unknown airline's flight is in no row of the mart by carrier, so one is missing there."""
    outcome = poisoned.outcomes["flights_marts"]
    assert outcome["state"] == "failed"
    assert outcome["failed"] == ["delays_by_carrier.check_flights"]
    assert poisoned.mart("delays_by_carrier") == poisoned.before["delays_by_carrier"]
    assert poisoned.mart("delays_by_route") != poisoned.before["delays_by_route"]
    assert poisoned.rows("SELECT count(*) FROM marts.flight_delays WHERE carrier = 'ZZ'") == [(1,)]
