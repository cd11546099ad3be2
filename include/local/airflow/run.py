"""Airflow with its UI on this machine, all feeds wired, until Ctrl-C.

At the end it stops what it has started; services that ran before go on.
"""

from __future__ import annotations

import signal
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from rich.console import Console

from include.landfall.s3.client import make_client
from include.local.airflow.api import Api
from include.local.airflow.home import PORT, USER, last_port, password_of
from include.local.airflow.programs import (
    airflow_programs,
    check_no_leftovers,
    find_airflow,
    prepare,
    the_only_airflow,
    wait_ready,
)
from include.local.demo.seed import seed
from include.local.services.control import Services, services_while_needed
from include.local.services.process import wait_until
from include.local.services.program import interrupt_on, watch
from include.local.state import PROJECT, LocalError

MARTS = "flights_marts"
PARSE_SECONDS = 240  # on a machine that is busy with other programs


def run(home: Path) -> int:
    """Starts everything, prints where it is, waits for Ctrl-C.

    Raises: LocalError when it runs already, or a part cannot start or ends.
    """
    _expect_no_other(home)
    console = Console(highlight=False)
    interrupt_on(signal.SIGTERM, signal.SIGINT)
    with suppress(KeyboardInterrupt), ExitStack() as stack:
        stack.enter_context(the_only_airflow(home))
        with console.status("starting PostgreSQL and the object store"):
            services = stack.enter_context(services_while_needed(home))
            put_files(services)
        with console.status("preparing Airflow's metadata"):
            environ = prepare(home, services, ports=(PORT, last_port(home)))
        programs = stack.enter_context(airflow_programs(home, environ))
        stack.callback(console.print, "stopping")
        with console.status("starting Airflow (about 20 s)"):
            api = wait_ready(home, programs)
            feeds = start_feeds_of(home, api)
        _print_where(console, home, api.address, feeds)
        watch(programs)
    return 0


def _expect_no_other(home: Path) -> None:
    check_no_leftovers(home)
    running = find_airflow(home)
    if running:
        raise LocalError(
            "Airflow runs already", found=running.address,
            do="open it, or stop it by Ctrl-C where it was started: make airflow or make lessons",
        )  # fmt: skip


def put_files(services: Services) -> None:
    """Puts the files that are missing into the bucket; files that somebody changed stay."""
    with closing(make_client(services.object_store.store)) as client:
        seed(client, restore=False)


def start_feeds_of(home: Path, api: Api) -> list[str]:
    """Does what `start_feeds` does.

    Raises: LocalError also when the API server, which was healthy, gives no answer.
    """
    try:
        return start_feeds(api)
    except OSError as error:
        raise LocalError(
            "Airflow's API server does not answer", found=str(error),
            do=f"start again when the machine is less busy, or read the logs in {home / 'logs'}",
        ) from None  # fmt: skip


def start_feeds(api: Api) -> list[str]:
    """Lets the marts wait for the feeds, and starts one run of each feed; returns the feeds.

    Raises: LocalError when Airflow does not read their DAGs.
    """
    expected = _expected_dags()
    if not wait_until(lambda: expected <= api.dags().keys(), PARSE_SECONDS, pause=1):
        missing = ", ".join(sorted(expected - api.dags().keys()))
        errors = "\n".join(api.import_errors()) or None
        raise LocalError(f"Airflow did not read the DAGs {missing}", found=errors)
    paused = api.dags()
    feeds = sorted(dag_id for dag_id in expected if dag_id != MARTS)
    for dag_id in (MARTS, *feeds):
        if paused[dag_id]:
            # A schedule that is unpaused starts at once the run of the hour that is over.
            api.unpause(dag_id)
        elif dag_id != MARTS:
            api.trigger(dag_id)
    return feeds


def _expected_dags() -> set[str]:
    feeds = (PROJECT / "include" / "feeds").glob("*.yaml")
    return {f"feed_{path.stem}" for path in feeds} | {MARTS}


def _print_where(console: Console, home: Path, address: str, feeds: list[str]) -> None:
    console.print(f"\n[bold]Airflow runs at {address}[/]")
    console.print(f"  user {USER}, password {password_of(home)}")
    console.print(f"  {len(feeds)} feeds run now; the marts follow when they have loaded")
    console.print(f"  lessons, paused until you start one: {address}/dags?tags=lesson")
    console.print(f"  logs in {home / 'logs'}")
    console.print('  a shell that reaches all of it: eval "$(make -s env)"')
    console.print("Ctrl-C stops what was started here.")
