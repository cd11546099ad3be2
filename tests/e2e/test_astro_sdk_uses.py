"""Small uses of the Astro SDK's whole API give what the SDK gave on Airflow 2.

The DAG files in dags/uses are the examples. A real Airflow runs them, all groups at once,
and each use is compared with the recording of Airflow 2, or with the better result that is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from include.landfall.connections import Warehouse
from tests.support.sdk_uses import BETTER, FAILS, USES, expected
from tests.support.servers import fresh_bucket
from tests.support.shared_airflow import SharedAirflow

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

pytestmark = pytest.mark.timeout(2400)

EXPECTED = expected()
CASES = [(group, use) for group, uses in EXPECTED.items() for use in uses]
SECONDS = 1200  # for all groups, on a machine that is busy with other tests


@pytest.fixture(scope="module")
def results(shared_airflow: SharedAirflow, client: S3Client) -> Iterator[dict[str, dict[str, str]]]:
    """What each use gave under the scheduler, by group and use."""
    with shared_airflow.empty_warehouse() as warehouse, fresh_bucket(client, "uses"):
        put_files(client, shared_airflow.files)
        execute(warehouse, (USES / "prepare.sql").read_text())
        shared_airflow.add_dags(USES / "uses_shared.py", *USES.glob("uses_of_*.py"))
        dag_ids = {group: f"uses_of_{group}" for group in EXPECTED}
        shared_airflow.airflow.run_all([*dag_ids.values()], SECONDS)
        yield {
            group: of_group(warehouse, group, shared_airflow.airflow.states(dag_id))
            for group, dag_id in dag_ids.items()
        }


def put_files(client: S3Client, folder: Path) -> None:
    """Puts the examples' files into the bucket and the folder."""
    files = load_module("uses_files").bodies()
    for name, body in files:
        client.put_object(Bucket="uses", Key=name, Body=body)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)


def load_module(name: str) -> Any:
    """Loads a module beside the examples."""
    spec = util.spec_from_file_location(name, USES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def execute(warehouse: Warehouse, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(warehouse.conninfo(), autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def of_group(warehouse: Warehouse, group: str, states: dict[str, str]) -> dict[str, str]:
    """A group's results by their uses."""
    rows = execute(warehouse, f"SELECT name, text FROM uses.results WHERE \"group\" = '{group}'")
    # Airflow also hands the task that keeps them its context, such as `dag` and `ti`.
    return {
        use: FAILS if states[use] == "failed" else text
        for use, text in rows
        if use in EXPECTED[group]
    }


@pytest.mark.parametrize(("group", "use"), CASES, ids=[f"{g}-{u}" for g, u in CASES])
def test_a_use_gives_what_airflow_2_gave(
    results: dict[str, dict[str, str]], group: str, use: str
) -> None:
    assert results[group].get(use) == EXPECTED[group][use]


def test_at_least_150_uses_are_tried_and_each_better_one_is_among_them() -> None:
    assert len(CASES) >= 150
    assert set(BETTER) <= {use for _, use in CASES}


def test_every_example_is_in_the_recording() -> None:
    """An example without a recording would be compared with nothing."""
    for group, uses in EXPECTED.items():
        text = (USES / f"uses_of_{group}.py").read_text()
        kept = text[text.index("keep(\n") :].partition("\n    )\n")[0]
        assert set(re.findall(r"task_id=\"(\w+)\"", kept)) - {"last"} <= {*uses}
