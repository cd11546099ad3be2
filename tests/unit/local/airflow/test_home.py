"""The settings of the local Airflow in its airflow.cfg."""

from __future__ import annotations

import subprocess
import sys

from include.landfall.connections import Warehouse
from include.local.airflow.home import local_settings, shell_settings
from tests.support.image_run import TESTS

SERVER = Warehouse("127.0.0.1", 5433, "warehouse", "landfall", "a%b(c)s")


def test_a_password_with_a_percent_sign_is_read_back(tmp_path):
    shell = shell_settings(tmp_path, SERVER)
    code = "from airflow.configuration import conf; print(conf.get('database', 'sql_alchemy_conn'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=shell,
        cwd=TESTS,
        capture_output=True,
        text=True,
        check=True,
    )
    expected = local_settings(tmp_path, SERVER)["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    assert done.stdout.splitlines()[-1] == expected
    assert "%25" in expected


def test_a_shell_gets_no_setting_that_another_airflow_must_not_have(tmp_path):
    assert shell_settings(tmp_path, SERVER).keys() == {"AIRFLOW_HOME", "AIRFLOW__API__HOST"}
