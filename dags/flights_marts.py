"""Marts of the flights: how late by carrier and month, by weather, by route, and flight by flight.

`arrival_corrections` shows what the corrections change, which a feed merges by the flight's key.

It runs when a feed's asset has changed. Each mart is built in another schema and checked there.
Only then it replaces, in one transaction, what readers see; after a red check they keep the last
good mart.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow.sdk import DAG, AssetAny, TaskGroup, task
from airflow.sdk.exceptions import AirflowSkipException

from dags.common.defaults import NO_RETRY, dag_defaults
from include.astro_sdk import File, Metadata, Table, aql, table_asset
from plugins.s3_to_postgres import S3ToPostgresHook

SQL = Path(__file__).parents[1] / "include" / "sql"
EXPORT = "s3://landing/marts/delays_by_carrier.csv"


def table(schema: str, name: str) -> Table:
    """Returns a table of the warehouse."""
    return Table(name, conn_id="warehouse", metadata=Metadata(schema=schema))


RAW = {
    name: table("raw", name)
    for name in ("flights", "flight_corrections", "weather", "planes", "airports", "airlines")
}
# Nothing is lost: a mart with more or fewer flights than were loaded is not published.
EVERY_FLIGHT = {
    "every_flight": {"check_statement": "sum(flights) = (SELECT count(*) FROM raw.flights)"}
}
# The same for a mart with one row for each flight.
EVERY_ROW = {"every_flight": {"check_statement": "count(*) = (SELECT count(*) FROM raw.flights)"}}
CHECKS: dict[str, dict[str, Any]] = {
    "delays_by_carrier": {
        "airline": {"null_check": {"equal_to": 0}},
        "flights": {"min": {"geq_to": 0}},
    },
    "delays_by_weather": {
        "condition": {"null_check": {"equal_to": 0}},
        "cancelled_percent": {"min": {"geq_to": 0}, "max": {"leq_to": 100}},
    },
    "delays_by_route": {
        "miles": {"min": {"geq_to": 1}},
        "airlines": {"min": {"geq_to": 1}},
    },
    "arrival_corrections": {
        "corrected": {"min": {"geq_to": 0}},
        "mean_arr_delay": {"null_check": {"equal_to": 0}},
    },
    "flight_delays": {
        "flight_date": {"null_check": {"equal_to": 0}},
        "departure_minute": {"min": {"geq_to": 0}, "max": {"leq_to": 1440}},
    },
}
CARRIER_COLUMNS = [
    "carrier", "airline", "year", "month", "flights", "cancelled", "mean_dep_delay",
    "mean_arr_delay", "p90_arr_delay", "late",
]  # fmt: skip


@task
def inputs_landed() -> None:
    """Skips the run while a feed has never been loaded; its first load starts this DAG again."""
    missing = S3ToPostgresHook().missing_tables([f"raw.{name}" for name in RAW])
    if missing:
        raise AirflowSkipException(f"not landed yet: {', '.join(missing)}")


@aql.run_raw_sql(conn_id="warehouse", task_id="make_table", response_size=0)
def make_table() -> str:
    """Creates the mart that is merged into, with its key: `merge` needs an existing table."""
    return sql("make_delays_by_carrier")


@aql.run_raw_sql(conn_id="warehouse", task_id="prune", response_size=0)
def prune(built: Table, mart: Table) -> str:
    """Deletes the rows of the merged mart that a changed file no longer has."""
    return sql("prune_delays_by_carrier")


@aql.transform(conn_id="warehouse", task_id="publish")
def publish(built: Table) -> str:
    """Replaces the mart's rows by the checked ones, in one transaction."""
    return "SELECT * FROM {{built}}"


def sql(name: str) -> str:
    """Reads include/sql/<name>.sql."""
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


def build(mart: str, counted: dict[str, dict[str, Any]] = EVERY_FLIGHT) -> tuple[Any, list[Any]]:
    """Builds a mart in the schema marts_next; returns its table and the checks that must pass."""
    built = aql.transform_file(
        task_id="build",
        file_path=str(SQL / f"{mart}.sql"),
        conn_id="warehouse",
        parameters=RAW,
        outlets=[],
        op_kwargs={"output_table": table("marts_next", mart)},
    )
    return built, [
        aql.check_table(dataset=built, checks=counted, task_id="check_flights", **NO_RETRY),
        aql.check_column(
            dataset=built, column_mapping=CHECKS[mart], task_id="check_columns", **NO_RETRY
        ),
    ]


with DAG(
    "flights_marts",
    description="How late the flights were: by carrier and month, by weather, by route",
    doc_md=__doc__,
    schedule=AssetAny(*(table_asset(raw) for raw in RAW.values())),
    tags=["marts"],
    **dag_defaults(),
):
    landed = inputs_landed()

    with TaskGroup("delays_by_carrier"):
        mart = table("marts", "delays_by_carrier")
        mart_table = make_table()
        built, checked = build("delays_by_carrier")
        merged = aql.merge(
            task_id="merge",
            target_table=mart,
            source_table=built,
            columns=CARRIER_COLUMNS,
            target_conflict_columns=["carrier", "year", "month"],
            if_conflicts="update",
        )
        pruned = prune(built=built, mart=mart)
        exported = aql.export_to_file(
            task_id="export",
            input_data=mart,
            output_file=File(EXPORT, conn_id="landing"),
            if_exists="replace",
        )
        landed >> mart_table >> built
        checked >> merged >> pruned >> exported

    for name, counted in (
        ("delays_by_weather", EVERY_FLIGHT),
        ("delays_by_route", EVERY_FLIGHT),
        ("arrival_corrections", EVERY_FLIGHT),
        ("flight_delays", EVERY_ROW),
    ):
        with TaskGroup(name):
            built, checked = build(name, counted)
            landed >> built
            checked >> publish(built=built, output_table=table("marts", name))
