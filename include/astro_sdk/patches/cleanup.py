"""`cleanup`, which on Airflow 2 read the metadata database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

POLL = timedelta(seconds=5)  # as often as the SDK looked
DONE = {"success", "failed", "skipped", "upstream_failed", "removed"}


def clean_up_without_the_metadata_database(module: ModuleType) -> None:
    """Broke: a task on Airflow 3 may not read the metadata database, where cleanup looked up the
    states of the run's tasks; and it waited for them in a worker's slot, for ever where there is
    only one.

    Mends: states and XComs come from the execution API, as every task gets them; while others
    still run the task gives its slot back and is rescheduled, which costs no retry.
    """
    cls = module.CleanupOperator

    def execute(self: Any, context: Any) -> None:
        if not self.tables_to_cleanup and not self.run_immediately:
            _wait_for_the_others(self, context)
        if self.skip_on_failure and _failed(self, context):
            return
        tables = self.tables_to_cleanup or list(_tables_of_run(module, self, context))
        dropped = module.filter_for_temp_tables(tables)
        self.log.info("Temporary tables to drop: %s", [table.name for table in dropped])
        for table in dropped:
            self.drop_table(table)

    def drop_table(self: Any, table: Any) -> None:
        database = module.create_database(conn_id=table.conn_id, table=table)
        database.drop_table(database.populate_table_metadata(table))

    cls.execute = execute
    cls.drop_table = drop_table


def _states(operator: Any, context: Any) -> dict[str, str | None]:
    """The states of the run's other tasks, but for those that wait for this one."""
    ti = context["ti"]
    mine = {operator.task_id, *operator.get_flat_relative_ids(upstream=False)}
    found = ti.get_task_states(dag_id=ti.dag_id, run_ids=[ti.run_id]).get(ti.run_id, {})
    # A mapped task's instances are called <task id>_<map index>.
    return {
        name: state
        for name, state in found.items()
        if name not in mine and name.rpartition("_")[0] not in mine
    }


def _wait_for_the_others(operator: Any, context: Any) -> None:
    from airflow.sdk.exceptions import AirflowRescheduleException

    running = [name for name, state in _states(operator, context).items() if state not in DONE]
    if running:
        operator.log.info("Cleanup waits for %s", ", ".join(sorted(running)))
        raise AirflowRescheduleException(datetime.now(UTC) + POLL)


def _failed(operator: Any, context: Any) -> bool:
    failed = [name for name, state in _states(operator, context).items() if state == "failed"]
    if failed:
        operator.log.info("Cleanup is skipped: these tasks have failed: %s", ", ".join(failed))
    return bool(failed)


def _tables_of_run(module: ModuleType, operator: Any, context: Any) -> Iterator[Any]:
    """What the run's tasks handed on, one task at a time: it may be a dataframe."""
    from airflow.sdk.execution_time.xcom import XCom

    ti = context["ti"]
    for task in operator.dag.tasks:
        kind = getattr(task, "operator_class", type(task))
        if task.task_id == operator.task_id or not isinstance(kind, type):
            continue
        if not issubclass(kind, module.OPERATOR_CLASSES_WITH_TABLE_OUTPUT):
            continue
        try:
            values = XCom.get_all(
                key="return_value", dag_id=ti.dag_id, task_id=task.task_id, run_id=ti.run_id
            )
        except (ImportError, TypeError, ValueError) as error:
            # What this task cannot read back is no table of ours.
            operator.log.info("The result of %s is passed over: %s", task.task_id, error)
            continue
        yield from (value for value in values or () if isinstance(value, module.BaseTable))
