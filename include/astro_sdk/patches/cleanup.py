"""`cleanup`, which on Airflow 2 read the metadata database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

POLL = timedelta(seconds=5)  # as often as the SDK looked
DONE = {"success", "failed", "skipped", "upstream_failed", "removed"}


def clean_up_without_the_metadata_database(module: ModuleType) -> None:
    """Lets `cleanup` ask the execution API about the run's other tasks.

    Problem: a task on Airflow 3 may not read the metadata database, where cleanup looked up the
    states of the run's tasks. It also waited for them in a worker's slot, which takes for ever
    where there is only one.
    Fix: states and XComs come from the execution API, as for every task. While others still run,
    the task gives up its slot and is rescheduled, which costs no retry.
    """
    cls = module.CleanupOperator

    def execute(self: Any, context: Any) -> None:
        if not self.tables_to_cleanup and not self.run_immediately:
            _wait_for_the_others(self, context)
        if self.skip_on_failure and _any_failed(self, context):
            return
        tables = self.tables_to_cleanup or list(_tables_of_run(module, self, context))
        temporary = module.filter_for_temp_tables(tables)
        self.log.info("Temporary tables to drop: %s", [table.name for table in temporary])
        _drop_each(self, temporary)

    def drop_table(self: Any, table: Any) -> None:
        database = module.create_database(conn_id=table.conn_id, table=table)
        database.drop_table(database.populate_table_metadata(table))

    cls.execute = execute
    cls.drop_table = drop_table


def _states(operator: Any, context: Any) -> dict[str, str | None]:
    """The states of the run's other tasks, without those that wait for this one."""
    ti = context["ti"]
    excluded = {operator.task_id, *operator.get_flat_relative_ids(upstream=False)}
    states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[ti.run_id]).get(ti.run_id, {})
    return {
        name: state
        for name, state in states.items()
        if name not in excluded and _task_of(operator, name) not in excluded
    }


def _task_of(operator: Any, name: str) -> str:
    """The task of a state. A mapped task's instances are called <task id>_<map index>."""
    if operator.dag.has_task(name):
        return name
    task_id, _, index = name.rpartition("_")
    return task_id if index.isdecimal() else name


def _wait_for_the_others(operator: Any, context: Any) -> None:
    from airflow.sdk.exceptions import AirflowRescheduleException

    running = [name for name, state in _states(operator, context).items() if state not in DONE]
    if running:
        operator.log.info("Cleanup waits for %s", ", ".join(sorted(running)))
        raise AirflowRescheduleException(datetime.now(UTC) + POLL)


def _drop_each(operator: Any, tables: list[Any]) -> None:
    """Drops all that can be dropped; the first error of the others is the task's."""
    errors: list[Exception] = []
    for table in tables:
        try:
            operator.drop_table(table)
        except Exception as error:  # noqa: BLE001  another table can be dropped all the same
            operator.log.error("The table %s stays: %s", table.name, error)
            errors.append(error)
    if errors:
        raise errors[0]


def _any_failed(operator: Any, context: Any) -> bool:
    failed = [name for name, state in _states(operator, context).items() if state == "failed"]
    if failed:
        operator.log.info("Cleanup is skipped: these tasks have failed: %s", ", ".join(failed))
    return bool(failed)


def _tables_of_run(module: ModuleType, operator: Any, context: Any) -> Iterator[Any]:
    """The tables that the run's tasks gave, one task at a time: a result may be a dataframe."""
    from airflow.sdk.execution_time.xcom import XCom

    ti = context["ti"]
    for task in operator.dag.tasks:
        cls = getattr(task, "operator_class", type(task))
        if task.task_id == operator.task_id or not isinstance(cls, type):
            continue
        if not issubclass(cls, module.OPERATOR_CLASSES_WITH_TABLE_OUTPUT):
            continue
        try:
            values = XCom.get_all(
                key="return_value", dag_id=ti.dag_id, task_id=task.task_id, run_id=ti.run_id
            )
        except (ImportError, TypeError, ValueError) as error:
            # A result that this task cannot read back is not one of astro's tables.
            operator.log.info("The result of %s is ignored: %s", task.task_id, error)
            continue
        yield from (value for value in values or () if isinstance(value, module.BaseTable))
