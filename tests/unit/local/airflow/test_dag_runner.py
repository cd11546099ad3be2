"""A run by `dag.test()` is spared what only takes time, and nobody else's sleep is any shorter."""

from __future__ import annotations

import time

import pytest

from include.local.airflow.dag_runner import BUNDLE, PAUSE, quick

SLEEPS = "import time\ndef sleeps(seconds):\n    time.sleep(seconds)\n"


def sleeper(module: str):
    """A function that sleeps, of a module of that name."""
    names = {"__name__": module}
    exec(SLEEPS, names)
    return names["sleeps"]


@pytest.mark.parametrize(
    ("module", "slept"), [("airflow.sdk.definitions.dag", PAUSE), ("plugins.new_arrivals", 0.3)]
)
def test_only_the_pauses_of_dag_test_are_shorter(monkeypatch, module, slept):
    asked = []
    monkeypatch.setattr(time, "sleep", asked.append)
    with quick():
        sleeper(module)(0.3)
    assert asked == [slept]


def test_sleep_is_itself_again_after_a_run_that_broke():
    sleep = time.sleep
    with pytest.raises(RuntimeError, match="broke"), quick():
        raise RuntimeError("a task broke")
    assert time.sleep is sleep


def test_no_other_dag_is_read_for_a_run():
    from airflow.dag_processing.bundles.manager import DagBundlesManager

    with quick():
        assert list(DagBundlesManager().get_all_dag_bundles()) == []
    assert [each.name for each in DagBundlesManager().get_all_dag_bundles()] == [BUNDLE]
