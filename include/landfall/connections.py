"""The two servers of a load, and how to read them from the environment, as Airflow spells them."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from include.landfall.errors import ConnectionUnusable

PREFIX = "AIRFLOW_CONN_"
# What Airflow's own hook takes from a Postgres connection's extras, and a load has no use for.
HOOK_OPTIONS = frozenset("cursor log_sql enable_log_db_messages sqlalchemy_scheme".split())

# A host that vanishes is noticed in two minutes: by the server's keepalives, and by these.
DEFAULTS = {
    "connect_timeout": "10", "keepalives_idle": "60", "keepalives_interval": "10",
    "keepalives_count": "6", "tcp_user_timeout": "120000",
}  # fmt: skip


@dataclass(frozen=True)
class Store:
    """An S3 service.

    Without `endpoint_url` it is AWS itself. Without a key, botocore looks for one in its usual
    places.
    """

    endpoint_url: str | None = None
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    region: str = "us-east-1"

    @classmethod
    def from_fields(
        cls,
        *,
        login: str | None,
        password: str | None,
        extra: Mapping[str, Any] | None = None,
        **_: object,
    ) -> Store:
        """Makes a store from the fields of an Airflow connection of type `aws`."""
        extra = extra or {}
        service = extra.get("service_config", {}).get("s3", {})
        return cls(
            endpoint_url=service.get("endpoint_url") or extra.get("endpoint_url"),
            access_key=login or extra.get("aws_access_key_id") or None,
            secret_key=password or extra.get("aws_secret_access_key") or None,
            session_token=extra.get("aws_session_token"),
            region=extra.get("region_name") or "us-east-1",
        )


@dataclass(frozen=True)
class Warehouse:
    """A Postgres database and the role that loads it."""

    host: str = "localhost"
    port: int = 5432
    dbname: str = "postgres"
    user: str = "postgres"
    password: str | None = field(default=None, repr=False)
    options: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_fields(
        cls,
        *,
        host: str | None,
        port: int | None,
        schema: str | None,
        login: str | None,
        password: str | None,
        extra: Mapping[str, Any] | None = None,
    ) -> Warehouse:
        """Makes a warehouse from the fields of an Airflow connection of type `postgres`.

        Airflow calls the database `schema`. Every option of libpq may stand in the extras.

        Raises: ConnectionUnusable when there is another one: what guards a connection must not be
        dropped because it is misspelt.
        """
        given = {k: v for k, v in (extra or {}).items() if v not in (None, False, "")}
        options = {k: str(v) for k, v in given.items() if k not in HOOK_OPTIONS}
        _check_options(options)
        return cls(
            host or "localhost", port or 5432, schema or "postgres", login or "postgres",
            password, options,
        )  # fmt: skip

    def conninfo(self) -> str:
        """Returns the connection as libpq reads it. It holds the password: never log it."""
        # Imported here, so that the reading process, which needs no database, stays small.
        from psycopg.conninfo import make_conninfo

        return make_conninfo(
            host=self.host, port=self.port, dbname=self.dbname, user=self.user,
            password=self.password, **{**DEFAULTS, **self.options},
        )  # fmt: skip

    @property
    def name(self) -> str:
        """The name of this database in messages, without the password."""
        return f"{self.user}@{self.host}:{self.port}/{self.dbname}"


def _check_options(options: Mapping[str, str]) -> None:
    # Imported here, so that the reading process, which needs no database, stays small.
    from psycopg.pq import Conninfo

    names = [option.keyword.decode() for option in Conninfo.get_defaults()]
    for name in options:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            raise ConnectionUnusable(
                f"the Postgres connection has an extra that libpq does not know: {name!r}",
                expected="options of libpq, such as sslmode, sslrootcert, options",
                do=f"did you mean {near[0]!r}?" if near else "take it out of the connection",
            )


def store_from_environ(conn_id: str, environ: Mapping[str, str] = os.environ) -> Store:
    """Reads the S3 service that `AIRFLOW_CONN_<conn_id>` names.

    Raises: ConnectionUnusable when the variable is missing or cannot be read.
    """
    return Store.from_fields(**_fields(conn_id, environ))


def warehouse_from_environ(conn_id: str, environ: Mapping[str, str] = os.environ) -> Warehouse:
    """Reads the database that `AIRFLOW_CONN_<conn_id>` names.

    Raises: ConnectionUnusable when the variable is missing or cannot be read.
    """
    return Warehouse.from_fields(**_fields(conn_id, environ))


def _fields(conn_id: str, environ: Mapping[str, str]) -> dict[str, Any]:
    name = PREFIX + conn_id.upper()
    value = environ.get(name, "").strip()
    if not value:
        raise ConnectionUnusable(
            f"the connection {conn_id!r} is not in the environment",
            expected=f"{name}, as Airflow spells a connection: a URI or JSON",
            do=_nearest(conn_id, environ) or 'with the local services: eval "$(make -s env)"',
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
        "host": raw.get("host"),
        "port": int(raw["port"]) if raw.get("port") else None,
        "schema": raw.get("schema"),
        "login": raw.get("login"),
        "password": raw.get("password"),
        "extra": extra,
    }


def _from_uri(value: str) -> dict[str, Any]:
    parts = urlsplit(value)
    extra = dict(parse_qsl(parts.query, keep_blank_values=True))
    nested = extra.pop("__extra__", None)
    return {
        "host": unquote(parts.hostname or "") or None,
        "port": parts.port,
        "schema": unquote(parts.path.lstrip("/")) or None,
        "login": unquote(parts.username or "") or None,
        "password": unquote(parts.password or "") or None,
        "extra": extra | (json.loads(nested) if nested else {}),
    }
