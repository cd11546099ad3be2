"""The names of Airflow 2 in templates: as it gave them, and with one warning for each."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import airflow  # noqa: F401  finds the patches
import jinja2
import pendulum
import pytest

from include.astro_sdk.patches import templates

DAY = pendulum.datetime(2024, 5, 5)
SCHEDULED = {
    "logical_date": DAY, "data_interval_start": DAY, "data_interval_end": DAY.add(days=1),
    "ds": "2024-05-05", "prev_data_interval_start_success": DAY.subtract(days=1),
}  # fmt: skip


def render(template: str, **context: Any) -> str:
    return jinja2.Template(template).render(templates.with_old_names(context))


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ execution_date }}", "2024-05-05 00:00:00+00:00"),
        ("{{ execution_date.strftime('%d.%m.%Y') }}", "05.05.2024"),
        ("{{ next_ds }} {{ prev_ds }}", "2024-05-06 2024-05-04"),
        ("{{ next_ds_nodash }} {{ prev_ds_nodash }}", "20240506 20240504"),
        ("{{ tomorrow_ds }} {{ yesterday_ds }}", "2024-05-06 2024-05-04"),
        ("{{ tomorrow_ds_nodash }} {{ yesterday_ds_nodash }}", "20240506 20240504"),
        ("{{ next_execution_date.day }} {{ prev_execution_date.day }}", "6 4"),
        ("{{ prev_execution_date_success.day }}", "4"),
    ],
)
def test_execution_date_and_its_kin_are_the_dates_of_the_interval(template: str, text: str) -> None:
    assert render(template, **SCHEDULED) == text


def test_a_run_without_a_logical_date_has_the_dates_of_its_start() -> None:
    """An asset or the API starts such a run, and Airflow 3 gives it no `ds`."""
    run = SimpleNamespace(logical_date=None, run_after=DAY)
    names = "{{ ds }} {{ ds_nodash }} {{ ts_nodash }} {{ execution_date.day }} {{ next_ds }}"
    assert render(names, dag_run=run) == "2024-05-05 20240505 20240505T000000 5 None"


def test_what_a_task_has_stays() -> None:
    assert render("{{ next_ds }}", **SCHEDULED, next_ds="mine") == "mine"


def test_each_name_warns_once_and_only_when_it_is_used(caplog: pytest.LogCaptureFixture) -> None:
    templates._warn.cache_clear()
    with caplog.at_level(logging.WARNING):
        render("{{ ds }}", **SCHEDULED)
        assert not caplog.records
        for _ in range(2):
            render("{{ yesterday_ds }}", **SCHEDULED)
    (record,) = caplog.records
    assert "uses yesterday_ds, which Airflow 3 no longer has" in record.getMessage()
