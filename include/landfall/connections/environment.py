"""Connections in the environment: AIRFLOW_CONN_<NAME>, as a URI or as JSON."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from include.landfall.connections.store import Store
from include.landfall.connections.warehouse import Warehouse, uses_iam
from include.landfall.errors import ConnectionUnusable

PREFIX = "AIRFLOW_CONN_"
DEFAULT_STORE = "aws_default"


def store_from_environ(conn_id: str, environ: Mapping[str, str] = os.environ) -> Store:
    """Reads the S3 service that `AIRFLOW_CONN_<conn_id>` names.

    Raises: ConnectionUnusable when the variable is missing or cannot be read.
    """
    return Store.from_fields(**_fields(conn_id, environ), conn_id=conn_id)


def warehouse_from_environ(conn_id: str, environ: Mapping[str, str] = os.environ) -> Warehouse:
    """Reads the database that `AIRFLOW_CONN_<conn_id>` names.

    Raises: ConnectionUnusable when the variable is missing or cannot be read.
    """
    fields = _fields(conn_id, environ)
    iam = _iam_store(fields["extra"], environ) if uses_iam(fields["extra"]) else None
    return Warehouse.from_fields(**fields, iam=iam, conn_id=conn_id)


def _iam_store(extra: Mapping[str, Any], environ: Mapping[str, str]) -> Store:
    """Returns the AWS connection that signs in; without one, AWS's own settings."""
    name = extra.get("aws_conn_id")
    if not name and not environ.get(PREFIX + DEFAULT_STORE.upper()):
        return Store()
    return store_from_environ(name or DEFAULT_STORE, environ)


def _fields(conn_id: str, environ: Mapping[str, str]) -> dict[str, Any]:
    name = PREFIX + conn_id.upper()
    value = environ.get(name, "").strip()
    if not value:
        raise ConnectionUnusable(
            f"the connection {conn_id!r} is not in the environment",
            expected=f"{name}, as Airflow spells a connection: a URI or JSON",
            do=_nearest(conn_id, environ)
            or 'with the local services: eval "$(make -s env)"; else'
            " set it: .env.example has an example",
        )
    try:
        return _from_json(value) if value.startswith("{") else _from_uri(value)
    except ValueError as error:
        # The value holds a password, so the message must not.
        raise ConnectionUnusable(
            f"{name} cannot be read: {type(error).__name__}",
            expected="a URI such as postgres://user:password@host:5432/database, or JSON",
        ) from None


def _nearest(conn_id: str, environ: Mapping[str, str]) -> str | None:
    """Returns a hint: the name in the feed or that in the environment may be misspelt."""
    names = [name.removeprefix(PREFIX).lower() for name in environ if name.startswith(PREFIX)]
    near = difflib.get_close_matches(conn_id.lower(), set(names) - {conn_id.lower()}, n=1)
    return f"did you mean {near[0]!r}?" if near else None


def _from_json(value: str) -> dict[str, Any]:
    raw = json.loads(value)
    extra = raw.get("extra") or {}
    extra = json.loads(extra) if isinstance(extra, str) else extra
    if not isinstance(extra, dict):
        raise ValueError("extra holds no names and values")
    return {
        "conn_type": raw.get("conn_type"),
        "host": raw.get("host"),
        "port": int(raw["port"]) if raw.get("port") else None,
        "schema": raw.get("schema"),
        "login": raw.get("login"),
        "password": raw.get("password"),
        "extra": extra,
    }


def _from_uri(value: str) -> dict[str, Any]:
    parts = urlsplit(value)
    if not parts.scheme:
        raise ValueError("it has no type")
    extra = dict(parse_qsl(parts.query, keep_blank_values=True))
    nested = extra.pop("__extra__", None)
    servers = parts.netloc.rpartition("@")[2]
    has_several = "," in servers  # each with a port of its own, which the warehouse takes apart
    return {
        "conn_type": parts.scheme,
        "host": unquote(servers if has_several else _host(servers)) or None,
        "port": None if has_several else parts.port,
        "schema": unquote(parts.path.lstrip("/")) or None,
        "login": unquote(parts.username or "") or None,
        "password": unquote(parts.password or "") or None,
        "extra": extra | (json.loads(nested) if nested else {}),
    }


def _host(server: str) -> str:
    """Returns the host without its port, in its own letters: it may be the path of a socket."""
    bracketed, closing, _ = server.rpartition("]")
    return bracketed.removeprefix("[") if closing else server.partition(":")[0]
