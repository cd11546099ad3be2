"""A run by `dag.test()` does not read the whole folder of DAGs, and leaves Airflow's settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from include.local.airflow.dag_runner import BUNDLE, BUNDLES, without_other_dags
from include.local.state import PROJECT


def folders() -> dict[str, str]:
    """Airflow's folders of DAGs, each by its name, as Airflow itself reads its settings."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager

    return {each.name: str(each.path) for each in DagBundlesManager().get_all_dag_bundles()}


def test_no_other_dag_is_read_for_a_run():
    with without_other_dags():
        (empty,) = folders().values()
        assert list(Path(empty).iterdir()) == []
    assert folders() == {BUNDLE: str(PROJECT / "dags")}


def test_the_setting_is_as_before_after_a_run_that_broke(monkeypatch):
    monkeypatch.setenv(BUNDLES, "[]")
    with pytest.raises(RuntimeError, match="broke"), without_other_dags():
        raise RuntimeError("a task broke")
    assert os.environ[BUNDLES] == "[]"
