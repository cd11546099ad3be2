"""What a training leaves in the bucket: the model, its metrics, a plot."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

from include.airflow_bridge.connections import store_of
from include.airflow_bridge.errors import airflow_errors
from include.landfall.errors import DataError, ObjectMissing

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

FILES = {"model": "model.joblib", "metrics": "metrics.json", "plot": "plot.png"}


def results(
    prefix: str, etag: str, *, bucket: str = "landing", store_conn_id: str = "landing"
) -> dict[str, Any]:
    """Returns where model, metrics and plot are, and the main metrics: small enough for XCom.

    Raises: AirflowFailException unless all three exist and were made from the table `etag`.
    """
    # Imported here, because every parse of a DAG file would pay for boto3.
    from include.landfall.s3.client import make_client

    with airflow_errors(), closing(make_client(store_of(store_conn_id))) as client:
        uris = _uris(client, bucket, prefix)
        metrics = _metrics(client, bucket, prefix)
        if metrics["input"]["etag"] != etag:
            raise DataError(
                "the metrics are of another table", found=metrics["input"]["etag"], expected=etag
            ).at(object=uris["metrics"])
    return {**uris, "rows": metrics["input"]["rows"], "rmse": metrics["model"]["rmse"],
            "rmse_of_the_mean": metrics["always_the_mean"]["rmse"]}  # fmt: skip


def _uris(client: S3Client, bucket: str, prefix: str) -> dict[str, str]:
    from include.landfall.s3.listing import find_arrival

    uris = {}
    for result, name in FILES.items():
        arrival = find_arrival(client, bucket, f"{prefix}/{name}")
        if not arrival.size:
            raise ObjectMissing("a result is empty").at(object=arrival.uri)
        uris[result] = arrival.uri
    return uris


def _metrics(client: S3Client, bucket: str, prefix: str) -> dict[str, Any]:
    from include.landfall.s3.errors import s3_errors

    key = f"{prefix}/{FILES['metrics']}"
    with s3_errors(bucket, key):
        metrics: dict[str, Any] = json.loads(
            client.get_object(Bucket=bucket, Key=key)["Body"].read()
        )
    return metrics
