"""The report service on this machine until Ctrl-C; at the end it stops what it has started."""

from __future__ import annotations

import signal
from contextlib import ExitStack, suppress
from pathlib import Path

import psycopg
from rich.console import Console

from include.landfall.postgres.catalog import missing_relations
from include.local.reports.programs import PORTS, USER, ReportService, report_service
from include.local.services.control import Services, services_while_needed
from include.local.services.program import interrupt_on, watch
from include.reports.catalogue import SOURCES


def run(home: Path) -> int:
    """Starts everything, prints where it is, waits for Ctrl-C.

    Raises: LocalError when it runs already, or a part cannot start or ends.
    """
    console = Console(highlight=False)
    interrupt_on(signal.SIGTERM, signal.SIGINT)
    with suppress(KeyboardInterrupt), ExitStack() as stack:
        with console.status("starting PostgreSQL, the object store and the report service"):
            services = stack.enter_context(services_while_needed(home))
            warehouse, store = services.postgres.warehouse, services.object_store.store
            service = stack.enter_context(report_service(home, warehouse, store, ports=PORTS))
        stack.callback(console.print, "stopping")
        _print_where(console, home, service, _missing_tables(services))
        watch(list(service.programs.values()))
    return 0


def _missing_tables(services: Services) -> list[str]:
    """Returns the tables of reports that this warehouse does not have yet."""
    with psycopg.connect(services.postgres.warehouse.conninfo()) as connection:
        return missing_relations(connection, [source.table for source in SOURCES.values()])


def _print_where(console: Console, home: Path, service: ReportService, missing: list[str]) -> None:
    header = f'-H "X-API-Key: {service.key}"'
    console.print(f"\n[bold]The report service runs at {service.address}[/]", soft_wrap=True)
    console.print(f"  its key {service.key}")
    console.print(f"  Flower, which shows the workers: {service.flower}")
    console.print(f"  user {USER}, password {service.flower_password}")
    console.print(f"  logs in {home / 'logs'}", soft_wrap=True)
    if missing:
        console.print(f"  there is no {', '.join(missing)} yet: make demo makes them")
    console.print("ask for a report, then how far it is (with the id that the answer has):")
    for line in (
        f"curl {header} {service.address}/reports -d "
        """'{"report": "flights", "first": "2013-07-04", "last": "2013-07-04"}'""",
        f"curl {header} {service.address}/reports/ID",
    ):
        console.print(f"  {line}", markup=False, soft_wrap=True)
    console.print("the connection that lesson 19 asks for, in a shell that reaches Airflow:")
    console.print(
        f"  .venv/bin/airflow connections add reports --conn-uri http://:{service.key}@"
        f"{service.address.removeprefix('http://')}",
        markup=False, soft_wrap=True,
    )  # fmt: skip
    console.print("Ctrl-C stops what was started here.")
