"""Airflow's programs on this machine: started, waited for, found again.

The API server, the scheduler, the DAG processor and the triggerer run as separate programs, as in
production.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from include.local.airflow.api import Api, unhealthy
from include.local.airflow.home import (
    USER,
    last_port,
    local_settings,
    password_of,
    prepare_metadata,
    use_port,
    write_login,
)
from include.local.services.control import LOGS, Services
from include.local.services.environ import exports
from include.local.services.leftovers import leftovers
from include.local.services.process import LOCALHOST, free_ports, is_free
from include.local.services.program import Program, run_programs, wait_for_parts
from include.local.state import LocalError, locked

# Left to themselves, the scheduler and the triggerer would also serve logs on every address of the
# machine. The API server reads the same files.
PROGRAMS = {
    "api-server": ("airflow", "api-server"),
    "scheduler": ("include.local.airflow.warm", "scheduler", "--skip-serve-logs"),
    "dag-processor": ("airflow", "dag-processor"),
    "triggerer": ("airflow", "triggerer", "--skip-serve-logs"),
}
READY_SECONDS = 240  # on a machine that is busy with other programs


def address_of(home: Path) -> str:
    """Returns where the API server of this home listens, or last listened."""
    return f"http://{LOCALHOST}:{last_port(home)}"


def find_airflow(home: Path) -> Api | None:
    """Returns the Airflow of this home, if it runs and is healthy.

    No other Airflow accepts the home's password, and no wrong one. That of the Astro CLI, which may
    have the same port, accepts every password.
    """
    address = address_of(home)
    if unhealthy(address) or _login(address, secrets.token_urlsafe()):
        return None
    return _login(address, password_of(home))


def _login(address: str, password: str) -> Api | None:
    try:
        return Api.login(address, USER, password)
    except OSError:
        return None


def check_no_leftovers(home: Path) -> None:
    """Checks that no program of a killed command is there: it would share the new one's database.

    Raises: LocalError.
    """
    if left := leftovers(home / LOGS):
        raise LocalError(
            "the command that started these programs was killed, and they go on",
            found=", ".join(f"{name} (pid {each.pid})" for name, each in left.items()),
            do="stop them: make down (the data stays); then start again",
        )


@contextmanager
def the_only_airflow(home: Path) -> Iterator[None]:
    """Lets no other command start an Airflow in this home, as long as this one has its own.

    `find_airflow` does not find one that starts or stops, and two would share one database.

    Raises: LocalError when another command has one, or has left its programs.
    """
    busy = LocalError(
        "another command starts or stops an Airflow here",
        found=f"make airflow or make lessons, in another terminal; its logs are in {home / 'logs'}",
        do="wait until it has started, or has ended",
    )
    with locked(home, "airflow.lock", busy):
        check_no_leftovers(home)
        yield


def prepare(home: Path, services: Services, ports: Sequence[int]) -> dict[str, str]:
    """Sets port, login and metadata; returns the environment of the programs.

    The port is the first of `ports` that is free; when none is, any free port.
    """
    use_port(home, next((port for port in ports if is_free(port)), None) or free_ports(1)[0])
    write_login(home)
    server = services.postgres.warehouse
    prepare_metadata(home, server)
    return environ_of(home, services)


def environ_of(home: Path, services: Services) -> dict[str, str]:
    """Returns the environment of this home's Airflow and of what uses it."""
    settings = local_settings(home, services.postgres.warehouse)
    return {**os.environ, **exports(home, services), **settings}


@contextmanager
def airflow_programs(home: Path, environ: dict[str, str]) -> Iterator[list[Program]]:
    """Runs all of Airflow's programs, and stops them at the end."""
    logs = {name: home / "logs" / f"airflow-{name}.log" for name in PROGRAMS}
    with run_programs(PROGRAMS, environ, logs) as programs:
        yield programs


def wait_ready(home: Path, programs: Sequence[Program]) -> Api:
    """Waits until every part is healthy, and logs in.

    Raises: LocalError when a program ends, or a part is not healthy in time.
    """
    address = address_of(home)
    wait_for_parts("Airflow", programs, lambda: unhealthy(address), READY_SECONDS, home / "logs")
    return Api.login(address, USER, password_of(home))
