"""Airflow's programs on this machine: started, waited for, watched, stopped.

The API server, the scheduler, the DAG processor and the triggerer run as programs of their own, as
in production.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from include.local.airflow.api import Api, unhealthy
from include.local.airflow.home import (
    USER,
    known_port,
    local_settings,
    password_of,
    prepare_metadata,
    use_port,
    write_login,
)
from include.local.services.control import Services
from include.local.services.environ import exports
from include.local.services.process import LOCALHOST, free_ports, is_free, wait_until
from include.local.services.program import Program, check_alive, run_programs
from include.local.state import LocalError

# The scheduler and the triggerer would also serve logs on every address of the machine; the API
# server reads the same files.
PROGRAMS = {
    "api-server": ("airflow", "api-server"),
    "scheduler": ("include.local.airflow.warm", "scheduler", "--skip-serve-logs"),
    "dag-processor": ("airflow", "dag-processor"),
    "triggerer": ("airflow", "triggerer", "--skip-serve-logs"),
}
READY_SECONDS = 240  # on a machine that does other things too


def address_of(home: Path) -> str:
    """Where the API server of this home listens, or last did."""
    return f"http://{LOCALHOST}:{known_port(home)}"


def find_airflow(home: Path) -> Api | None:
    """The Airflow of this home, when it runs and is healthy: only it knows the home's password."""
    address = address_of(home)
    if unhealthy(address):
        return None
    try:
        return Api.login(address, USER, password_of(home))
    except OSError:
        return None


def prepare(home: Path, found: Services, ports: Sequence[int]) -> dict[str, str]:
    """Port, login and metadata; gives back what the programs need in their environment.

    The port is the first of `ports` that is free, or else any.
    """
    use_port(home, next((port for port in ports if is_free(port)), None) or free_ports(1)[0])
    write_login(home)
    server = found.postgres.warehouse
    prepare_metadata(home, server)
    return {**os.environ, **exports(home, found), **local_settings(home, server)}


@contextmanager
def airflow_programs(home: Path, environ: dict[str, str]) -> Iterator[list[Program]]:
    """All of Airflow's programs, stopped at the end."""
    logs = {name: home / "logs" / f"airflow-{name}.log" for name in PROGRAMS}
    with run_programs(PROGRAMS, environ, logs) as programs:
        yield programs


def wait_ready(home: Path, programs: Sequence[Program]) -> Api:
    """Wait until every part says that it is healthy, and log in. Raises LocalError."""
    address = address_of(home)

    def settled() -> bool:
        check_alive(programs)
        return not unhealthy(address)

    if not wait_until(settled, READY_SECONDS, pause=0.5):
        missing = ", ".join(unhealthy(address))
        raise LocalError(f"Airflow is not ready: {missing}", do=f"read the logs in {home / 'logs'}")
    return Api.login(address, USER, password_of(home))
