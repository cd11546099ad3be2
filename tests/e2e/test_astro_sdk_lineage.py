"""OpenLineage gets the facets of the Astro SDK's operators, from tasks of a real Airflow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from include.landfall.connections import Store, Warehouse
from include.local.services.environ import connections
from tests.support.real_airflow import new_home, real_airflow
from tests.support.sdk_uses import USES
from tests.support.servers import fresh_bucket, fresh_database

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

pytestmark = pytest.mark.timeout(1500)

DAGS = Path(__file__).parent / "dags" / "lineage"
# Task: the tables or files among its inputs and outputs, and facets that these must have.
EXPECTED = {
    "loaded": (["/homes.csv"], ["loaded"], {"output_database_facet", "schema", "dataSource"}),
    "transformed": (["loaded"], ["made"], {"dataSource"}),
    "counted": (["made"], [], set()),
    "framed": ([], ["framed"], {"schema", "dataSource", "outputStatistics"}),
    "appended": (["made"], ["append_list"], {"dataSource"}),
    "merged": (["made"], ["merge_new"], {"dataSource"}),
    "exported": (["made"], ["/out.csv"], {"output_file_facet"}),
    "table_checked": (["made"], [], set()),
    "column_checked": (["made"], [], set()),
}


@pytest.fixture(scope="module")
def events(
    warehouse_server: Warehouse,
    object_store: Store,
    client: S3Client,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Any]]:
    """The last event of each task that OpenLineage wrote, by task."""
    folder = tmp_path_factory.mktemp("lineage")
    transport = {"type": "file", "log_file_path": str(folder / "events"), "append": True}
    with fresh_database(warehouse_server) as warehouse, fresh_bucket(client, "lineage"):
        client.put_object(Bucket="lineage", Key="homes.csv", Body=b"sell,agent\n1,Ann\n2,Bo\n")
        with psycopg.connect(warehouse.conninfo(), autocommit=True) as connection:
            connection.execute((USES / "prepare.sql").read_bytes())
        environ = {
            **connections(warehouse, object_store),
            "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(transport),
            "AIRFLOW__OPENLINEAGE__EXECUTION_TIMEOUT": "120",
        }
        with real_airflow(new_home(folder), warehouse_server, DAGS, environ) as airflow:
            assert airflow.run("every_operator", 900)["state"] == "success"
        yield completed(folder / "events")


def completed(path: Path) -> dict[str, Any]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    ends = [event for event in lines if event["eventType"] == "COMPLETE"]
    return {event["job"]["name"].removeprefix("every_operator."): event for event in ends}


@pytest.mark.parametrize("task", EXPECTED)
def test_openlineage_gets_the_facets_of(events: dict[str, Any], task: str) -> None:
    inputs, outputs, facets = EXPECTED[task]
    event = events[task]
    assert names(event["inputs"]) == inputs
    assert names(event["outputs"]) == outputs
    for output in event["outputs"]:
        assert facets <= {*output["facets"], *output.get("outputFacets", {})}


def names(datasets: list[dict[str, Any]]) -> list[str]:
    return [each["name"].rpartition(".")[2] if "/" not in each["name"] else each["name"]
            for each in datasets]  # fmt: skip
