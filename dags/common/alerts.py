"""Whom Airflow tells of a failure: nobody, until somebody is put into one of the two lists.

Every DAG but a lesson's takes both (`dags.common.defaults`). Each member is what Airflow takes as
`on_failure_callback`: a function of the context, or a notifier. docs/operations.md has one example
of each. A member that fails itself is in the log of the task, and changes nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dags.common.failures import NO_MESSAGE, failures_of_run

# Told once for each task that has failed and is not tried again. A task that loads several files
# tells of all that were refused at once. What several tasks of a run meet, such as a server that is
# away, is told by the first of them alone.
TASK_FAILED: list[Any] = []
# Told once for each run that has failed, however many of its tasks did.
RUN_FAILED: list[Any] = []


def failure_text(context: Mapping[str, Any]) -> str:
    """Writes what a person wants to read first: what has failed, why, and where to look.

    The reason of a task is the engine's own message, with the file, the line and what to do. Of a
    run it names the files and tasks that have failed, each in one line. Airflow's `ti` is then the
    last task of the run, which may well be green.
    """
    if "reason" in context:
        first = f"{context['dag'].dag_id} has failed: {context['reason']}"
        return "\n".join([first, f"run: {context['run_id']}", *failures_of_run(context)])
    ti = context["ti"]
    label = getattr(ti, "rendered_map_index", None)
    which = f"{ti.dag_id}.{ti.task_id}" + (f" [{label}]" if label else "")
    return f"{which} has failed\n{context.get('exception') or NO_MESSAGE}\nlog: {ti.log_url}"
