"""Trains a model of the arrival delay in a container, whenever its mart is new.

`export_features` writes the flights that arrived to the bucket, with the columns that are known
before a flight departs. `train` runs the image of `include/training` on that file through the
Docker socket. `check_model` checks that model, metrics and plot exist and belong to this file.
Everything of a run is in `s3://landing/models/arrival_delay/<run>/`; a second try overwrites the
first.

It needs Docker, and the image: `make training-image`. Without them `train` fails at once and says
what to do. `include/training/README.md` says what the model can do, and what the Docker socket
means.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, task

from dags.common.defaults import dag_defaults
from include.astro_sdk import Metadata, Table, table_asset
from plugins.s3_to_postgres import S3ToPostgresHook
from plugins.training.container import safe_name
from plugins.training.operator import TrainingOperator
from plugins.training.results import results

BUCKET = "landing"
MODELS = "models/arrival_delay"
MART = Table("flight_delays", conn_id="warehouse", metadata=Metadata(schema="marts"))
# No flight number, because airlines use each again for other flights. No month, because with one
# year of data the model never learns from the months that it is tested on. The order makes the
# same rows the same file.
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
        """Writes the flights that arrived to the bucket, under the run's key."""
        prefix = f"{MODELS}/{safe_name(run)}"
        exported = S3ToPostgresHook().export(
            FEATURES, bucket=BUCKET, key=f"{prefix}/features.parquet", format="parquet"
        )
        return {"prefix": prefix, "key": f"{prefix}/features.parquet", "etag": exported.etag}

    @task
    def check_model(features: dict[str, Any]) -> dict[str, Any]:
        """Returns the places of the results, and how good the model is."""
        return results(features["prefix"], features["etag"], bucket=BUCKET)

    features = export_features("{{ run_id }}")
    train = TrainingOperator(
        task_id="train",
        bucket=BUCKET,
        command=["--input", features["key"], "--output", features["prefix"]],
    )
    train >> check_model(features)
