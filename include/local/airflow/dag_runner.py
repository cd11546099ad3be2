"""A program that runs DAGs by `dag.test()`, one after the other, as it is told on its input.

Airflow takes about 7 s to start, so one process runs them all. It reads one DAG id a line from
standard input and answers each with one line of JSON on the file descriptor that its argument
names; everything that Airflow and the tasks say goes to standard output. The first line it writes
says that it is ready. It ends when its input does.
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
from unittest import mock

PAUSE = 0.1  # seconds, instead of one
BUNDLE = "dags-folder"  # what Airflow calls the folder of DAGs

# Airflow reads its settings when it is imported: everything from it is imported in functions.


def main(answers: TextIO, dag_ids: TextIO) -> None:
    """Make the metadata database, read the DAGs, then run what is asked for."""
    started = time.monotonic()
    dags = _read_dags()
    _make_metadata()
    _answer(answers, dag_id=None, state="ready", seconds=time.monotonic() - started)
    for line in dag_ids:
        dag_id = line.strip()
        try:
            _answer(answers, **_run(dags, dag_id))
        except Exception as error:  # noqa: BLE001 - whatever it was, the one who asked must know
            _answer(answers, dag_id=dag_id, state="failed", error=repr(error))


def _make_metadata() -> None:
    from airflow.utils.db import initdb

    marker = Path(os.environ["AIRFLOW_HOME"]) / "migrated"
    if not marker.exists():
        initdb()
        marker.touch()


def _read_dags() -> Mapping[str, Any]:
    """The DAGs of the folder itself: those of the folder below it are lessons."""
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
    """One run by `dag.test()`, without what it does beside; gives back the DAG run."""
    _make_known(dag)
    with quick():
        return dag.test()


def _make_known(dag: Any) -> None:
    """Write the DAG to the metadata database, as the DAG processor does with a file's."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

    DagBundlesManager().sync_bundles_to_db()
    bag = DagBag(collect_dags=False, bundle_name=BUNDLE)
    bag.bag_dag(dag)
    sync_bag_to_db(bag, BUNDLE, None)


@contextmanager
def quick() -> Iterator[None]:
    """Spares `dag.test()` its pauses, and the reading of all DAGs of the folder for each run.

    It sleeps a second whenever no task is ready, as after each skip: of a run that finds nothing
    new, that is most of the time. It reads and writes every DAG for two seconds more.
    """
    from airflow.dag_processing.bundles.manager import DagBundlesManager

    sleep = time.sleep

    def pause(seconds: float) -> None:
        asked_by = sys._getframe(1).f_globals.get("__name__")  # noqa: SLF001
        sleep(PAUSE if asked_by == "airflow.sdk.definitions.dag" else seconds)

    with (
        mock.patch("time.sleep", pause),
        mock.patch.object(DagBundlesManager, "get_all_dag_bundles", return_value=()),
    ):
        yield


def _answer(answers: TextIO, **values: Any) -> None:
    answers.write(json.dumps(values) + "\n")
    answers.flush()


if __name__ == "__main__":
    main(os.fdopen(int(sys.argv[1]), "w", encoding="utf-8"), sys.stdin)
