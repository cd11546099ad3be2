"""A program that runs DAGs by `dag.test()`, one after the other, as its input asks for them.

Airflow takes about 7 s to start, so one process runs them all. It reads one DAG id a line from
standard input, and answers each with one line of JSON on the file descriptor that its argument
names. Standard output has the logs of Airflow and the tasks. The first answer says that the
program is ready. It ends when its input ends.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

BUNDLE = "dags-folder"  # Airflow's name of the folder of DAGs
BUNDLES = "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"

# Airflow reads its settings when it is imported, so functions import everything from it.


def main(answers: TextIO, dag_ids: TextIO) -> None:
    """Makes the metadata database, reads the DAGs, then runs each DAG that is asked for."""
    started = time.monotonic()
    dags = _read_dags()
    _make_metadata()
    _answer(answers, dag_id=None, state="ready", seconds=time.monotonic() - started)
    for line in dag_ids:
        dag_id = line.strip()
        try:
            _answer(answers, **_run(dags, dag_id))
        except Exception as error:  # noqa: BLE001 - whatever it was, the answer must say it
            _answer(answers, dag_id=dag_id, state="failed", error=repr(error))


def _make_metadata() -> None:
    from airflow.utils.db import initdb

    marker = Path(os.environ["AIRFLOW_HOME"]) / "migrated"
    if not marker.exists():
        initdb()
        marker.touch()


def _read_dags() -> Mapping[str, Any]:
    """The DAGs of the folder itself. Those of the folder below it are lessons."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(collect_dags=False)
    for path in Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"]).glob("*.py"):
        bag.process_file(str(path))
    for path, error in bag.import_errors.items():
        print(f"{path} cannot be imported:\n{error}", flush=True)
    return dict(bag.dags)


def _run(dags: Mapping[str, Any], dag_id: str) -> dict[str, Any]:
    if dag_id not in dags:
        return {"dag_id": dag_id, "state": "failed", "error": "it could not be imported"}
    started = time.monotonic()
    run = run_dag(dags[dag_id])
    tasks = run.get_task_instances()
    return {
        "dag_id": dag_id,
        "state": str(run.state.value if hasattr(run.state, "value") else run.state),
        "seconds": time.monotonic() - started,
        "failed": sorted({task.task_id for task in tasks if task.state == "failed"}),
        "skipped": sorted({task.task_id for task in tasks if task.state == "skipped"}),
    }


def run_dag(dag: Any) -> Any:
    """Runs one DAG by `dag.test()`; returns the DAG run."""
    with without_other_dags():
        _register(dag)
        return dag.test()


def _register(dag: Any) -> None:
    """Writes the DAG to the metadata database, as the DAG processor does with a file's."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

    DagBundlesManager().sync_bundles_to_db()
    bag = DagBag(collect_dags=False, bundle_name=BUNDLE)
    bag.bag_dag(dag)
    sync_bag_to_db(bag, BUNDLE, None)


@contextmanager
def without_other_dags() -> Iterator[None]:
    """Sets the folder of DAGs to an empty one meanwhile.

    `dag.test()` reads the folder again and writes every DAG of it to the database before each run,
    for the DAGs that a run may trigger. The project's trigger none, and it takes two seconds.
    """
    empty = Path(os.environ["AIRFLOW_HOME"]) / "no-dags"
    empty.mkdir(parents=True, exist_ok=True)
    bundle = {
        "name": BUNDLE,
        "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": str(empty)},
    }
    before = os.environ.get(BUNDLES)
    os.environ[BUNDLES] = json.dumps([bundle])
    try:
        yield
    finally:
        del os.environ[BUNDLES]
        if before is not None:
            os.environ[BUNDLES] = before


def _answer(answers: TextIO, **values: Any) -> None:
    answers.write(json.dumps(values) + "\n")
    answers.flush()


if __name__ == "__main__":
    main(os.fdopen(int(sys.argv[1]), "w", encoding="utf-8"), sys.stdin)
