"""`make airflow` on a machine that is too busy."""

from __future__ import annotations

import pytest

from include.local.airflow.api import Api
from include.local.airflow.home import airflow_settings
from include.local.airflow.run import PARSE_SECONDS, start_feeds_of
from include.local.state import LocalError


def test_an_api_server_that_does_not_answer_is_an_error_and_no_traceback(tmp_path):
    with pytest.raises(LocalError, match="does not answer") as error:
        start_feeds_of(tmp_path, Api("http://127.0.0.1:9", "token"))
    assert str(tmp_path / "logs") in str(error.value)


def test_a_dag_file_may_be_read_as_slowly_as_its_task_may(tmp_path):
    """With Airflow's 30 s a busy machine has no DAGs: those of each file are marked as gone."""
    settings = airflow_settings(tmp_path)
    one_file = float(settings["AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT"])
    whole = float(settings["AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT"])
    assert 120 <= one_file < whole < PARSE_SECONDS
