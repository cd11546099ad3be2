"""OpenLineage gets the facets of the Astro SDK's operators, from tasks of a real Airflow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from include.local.services.process import wait_until
from tests.support.sdk_uses import USES
from tests.support.servers import fresh_bucket
from tests.support.shared_airflow import SharedAirflow

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

pytestmark = pytest.mark.timeout(1500)

DAG_FILE = Path(__file__).parent / "dags" / "lineage" / "every_operator.py"
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
def events(shared_airflow: SharedAirflow, client: S3Client) -> Iterator[dict[str, Any]]:
    """The last event of each task that OpenLineage wrote, by task."""
    with shared_airflow.empty_warehouse() as warehouse, fresh_bucket(client, "lineage"):
        client.put_object(Bucket="lineage", Key="homes.csv", Body=b"sell,agent\n1,Ann\n2,Bo\n")
        with psycopg.connect(warehouse.conninfo(), autocommit=True) as connection:
            connection.execute((USES / "prepare.sql").read_bytes())
        shared_airflow.add_dags(DAG_FILE)
        assert shared_airflow.airflow.run("every_operator", 900)["state"] == "success"
        # A task sends its last event after it has reported its state.
        wait_until(lambda: EXPECTED.keys() <= completed(shared_airflow.lineage).keys(), 60)
        yield completed(shared_airflow.lineage)


def completed(path: Path) -> dict[str, Any]:
    written, _, _ = path.read_text().rpartition("\n")
    lines = [json.loads(line) for line in written.splitlines()]
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
