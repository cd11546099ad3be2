"""Keeps the tests away from the developer's Airflow and servers.

Airflow reads its settings when it is first imported, so `isolate_airflow` must run before any test
module is collected.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

from include.local.airflow.home import airflow_settings
from include.local.services.environ import around_proxies

# Variables of a developer's shell that would send a test to a real server.
DEVELOPERS_PREFIXES = ("AIRFLOW_", "AWS_", "PG")


def isolate_airflow() -> Path:
    """Moves this process to an empty Airflow home, and removes the developer's settings."""
    home = Path(tempfile.mkdtemp(prefix="landfall-airflow-"))
    for name in list(os.environ):
        if name.startswith(DEVELOPERS_PREFIXES):
            del os.environ[name]
    os.environ.update(airflow_environ(home) | around_proxies())
    return home


def airflow_environ(home: Path) -> dict[str, str]:
    """Makes the variables that Airflow needs in order to use `home`."""
    return {
        **airflow_settings(home),
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__CORE__FERNET_KEY": "",
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(48),
        "AIRFLOW__API__SECRET_KEY": secrets.token_urlsafe(48),
        # Otherwise a test could wait for a metrics server, or for AWS's metadata address.
        "AIRFLOW__METRICS__STATSD_ON": "False",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
