"""Trains a model of the arrival delay in a container of its own, when the mart is new.

`export_features` writes the flights that arrived, with what is known of each before it departs, to
the bucket; `train` runs the image of `include/training` on that file through the Docker socket;
`check_model` sees that model, metrics and plot are there, and are of this very file. All of a run
is in `s3://landing/models/arrival_delay/<run>/`; a second try takes the place of the first.

It needs Docker, and the image: `make training-image`. Without them `train` fails at once and says
what to do. What the model can do, and what the Docker socket means, is in
`include/training/README.md`.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, task

from include.astro_sdk import Metadata, Table, table_asset
from dags.common.defaults import dag_defaults
from plugins.s3_to_postgres import S3ToPostgresHook
from plugins.training import TrainingOperator, results, safe_name

BUCKET = "landing"
MODELS = "models/arrival_delay"
MART = Table("flight_delays", conn_id="warehouse", metadata=Metadata(schema="marts"))
# No flight number: it is a name that airlines give anew. No month: of one year, the latest months
# are never among those that are learned from. The order makes the same rows the same file.
FEATURES = """
    SELECT flight_date, carrier, origin, dest, distance, departure_minute, weekday,
        temp, humid, wind_speed, precip, pressure, visib, arr_delay
    FROM marts.flight_delays
    WHERE arr_delay IS NOT NULL
    ORDER BY flight_date, departure_minute, origin, carrier, flight, dest, arr_delay
"""

with DAG(
    "delay_model",
    description="A regression of the arrival delay, trained in a container",
    doc_md=__doc__,
    schedule=[table_asset(MART)],
    tags=["model"],
    **dag_defaults(),
):

    @task
    def export_features(run: str) -> dict[str, Any]:
        """The flights that arrived, in the bucket under the run's key."""
        prefix = f"{MODELS}/{safe_name(run)}"
        exported = S3ToPostgresHook().export(
            FEATURES, bucket=BUCKET, key=f"{prefix}/features.parquet", format="parquet"
        )
        return {"prefix": prefix, "key": f"{prefix}/features.parquet", "etag": exported.etag}

    @task
    def check_model(features: dict[str, Any]) -> dict[str, Any]:
        """Where the results are, and how good they are."""
        return results(features["prefix"], features["etag"], bucket=BUCKET)

    features = export_features("{{ run_id }}")
    train = TrainingOperator(
        task_id="train",
        bucket=BUCKET,
        command=["--input", features["key"], "--output", features["prefix"]],
    )
    train >> check_model(features)
