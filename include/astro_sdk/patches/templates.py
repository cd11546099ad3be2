"""The names in templates that Airflow 2 had."""

from __future__ import annotations

import functools
import logging
from datetime import timedelta
from types import ModuleType
from typing import Any

log = logging.getLogger(__name__)

DAY, COMPACT = "%Y-%m-%d", "%Y%m%d"


def old_names_in_templates(module: ModuleType) -> None:
    """Lets the templates of astro's operators use `execution_date` and the names beside it.

    Problem: Airflow 3 took them away, and gives no `ds` either to a run without a logical date,
    such as one that an asset starts: such a template is an error.
    Fix: they are there, as Airflow 2 gave them, and the log warns once of each that is used.
    """
    cls = module.UpstreamTaskMixin

    def render_template_fields(self: Any, context: Any, jinja_env: Any = None) -> Any:
        return super(cls, self).render_template_fields(with_old_names(context), jinja_env)

    cls.render_template_fields = render_template_fields


def old_names_in_sql(module: ModuleType) -> None:
    """Lets the SQL of `transform` and `run_raw_sql` use `execution_date` and the names beside it.

    Problem: as in `old_names_in_templates`; these operators render their SQL on their own.
    Fix: as there.
    """
    cls = module.BaseSQLDecoratedOperator
    enrich = cls._enrich_context
    cls._enrich_context = lambda self, context: enrich(self, with_old_names(context))


def with_old_names(context: Any) -> Any:
    """Adds to a task's context what Airflow 2 had in it; what is there stays."""
    run = context.get("dag_run")
    date = context.get("logical_date") or getattr(run, "logical_date", None)
    if date is None:
        date = getattr(run, "run_after", None)
        if date is None:
            return context
        for name, value in _of_the_run(date).items():
            context.setdefault(name, value)
    for name, value in _removed(context, date).items():
        context.setdefault(name, _warning(name, value))
    return context


def _of_the_run(date: Any) -> dict[str, Any]:
    """The names that Airflow 3 leaves out where a run has no logical date."""
    second = "%Y%m%dT%H%M%S"
    return {
        "logical_date": date, "data_interval_start": date, "data_interval_end": date,
        "ds": date.strftime(DAY), "ds_nodash": date.strftime(COMPACT),
        "ts": date.isoformat(), "ts_nodash": date.strftime(second),
        "ts_nodash_with_tz": date.strftime(second + "%z"),
    }  # fmt: skip


def _removed(context: Any, date: Any) -> dict[str, Any]:
    """The names that Airflow 3 no longer has, with their values."""
    start, end = context.get("data_interval_start"), context.get("data_interval_end")
    interval = end - start if start and end and end > start else None
    dates = {
        "execution_date": date,
        "next_execution_date": end if interval else None,
        "prev_execution_date": date - interval if interval else None,
        "prev_execution_date_success": context.get("prev_data_interval_start_success"),
    }
    days = {
        "next_ds": dates["next_execution_date"], "prev_ds": dates["prev_execution_date"],
        "yesterday_ds": date - timedelta(days=1), "tomorrow_ds": date + timedelta(days=1),
    }  # fmt: skip
    texts = {name: day and day.strftime(DAY) for name, day in days.items()}
    compact = {f"{name}_nodash": day and day.strftime(COMPACT) for name, day in days.items()}
    return {**dates, **texts, **compact}


def _warning(name: str, value: Any) -> Any:
    """The value, which warns when a template uses it."""
    from lazy_object_proxy import Proxy

    return Proxy(functools.partial(_used, name, value))


def _used(name: str, value: Any) -> Any:
    _warn(name)
    return value


@functools.cache
def _warn(name: str) -> None:
    log.warning(
        "A template uses %s, which Airflow 3 no longer has. It is given here as Airflow 2 gave it."
        " What to do: write logical_date, data_interval_start or data_interval_end",
        name,
    )
