"""The environment in which a shell, or Airflow, reaches the running services."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from include.landfall.connections import Store, Warehouse
from include.local.airflow.home import shell_settings

if TYPE_CHECKING:  # the module imports redis, which is only installed where services run
    from include.local.services.control import Services


def connections(warehouse: Warehouse, store: Store) -> dict[str, str]:
    """Returns the two connections of the feeds, as JSON that Airflow reads."""
    return {
        "AIRFLOW_CONN_WAREHOUSE": json.dumps(
            {
                "conn_type": "postgres",
                "host": warehouse.host,
                "port": warehouse.port,
                "schema": warehouse.dbname,
                "login": warehouse.user,
                "password": warehouse.password,
            }
        ),
        "AIRFLOW_CONN_LANDING": json.dumps(
            {
                "conn_type": "aws",
                "login": store.access_key,
                "password": store.secret_key,
                "extra": {"endpoint_url": store.endpoint_url, "region_name": store.region},
            }
        ),
    }


def tools(warehouse: Warehouse, store: Store) -> dict[str, str]:
    """Returns the same connections for psql (libpq) and for the AWS command line and SDKs."""
    values = {
        "PGHOST": warehouse.host,
        "PGPORT": str(warehouse.port),
        "PGDATABASE": warehouse.dbname,
        "PGUSER": warehouse.user,
        "PGPASSWORD": warehouse.password,
        "AWS_ENDPOINT_URL": store.endpoint_url,
        "AWS_ACCESS_KEY_ID": store.access_key,
        "AWS_SECRET_ACCESS_KEY": store.secret_key,
        "AWS_DEFAULT_REGION": store.region,
    }
    return {name: value for name, value in values.items() if value is not None}


def around_proxies(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Adds this machine to NO_PROXY, since no proxy can reach its servers."""
    names = ("NO_PROXY", "no_proxy")
    listed = next((environ[name] for name in names if environ.get(name)), "")
    hosts = [host for host in listed.split(",") if host]
    hosts += [host for host in ("127.0.0.1", "localhost") if host not in hosts]
    return dict.fromkeys(names, ",".join(hosts))


def exports(home: Path, services: Services) -> dict[str, str]:
    """Returns everything that `make env` exports.

    None of it makes another Airflow use the metadata database or the keys of the local one.
    """
    warehouse, store = services.postgres.warehouse, services.object_store.store
    return {
        **connections(warehouse, store),
        **tools(warehouse, store),
        **shell_settings(home, warehouse),
        **around_proxies(),
    }


def as_shell(values: Mapping[str, str]) -> str:
    """Returns the values as `export NAME='value'` lines that any POSIX shell reads."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in values.items())
