"""The settings of the service, which it reads once from environment variables, at its start."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache

from celery.schedules import ParseException, crontab
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from include.landfall.connections import Store, Warehouse
from include.landfall.connections import store_from_environ as store
from include.landfall.connections import warehouse_from_environ as warehouse
from include.landfall.errors import TerminalError

PREFIX = "LANDFALL_REPORTS_"
BUCKET = "landing"
WEEK = 7 * 24 * 3600


class Settings(BaseModel):
    """The settings. The variable of a field is LANDFALL_REPORTS_ and its name in capitals."""

    model_config = ConfigDict(frozen=True)

    broker: SecretStr
    # The key that callers send. Only the API needs it, so workers run without it.
    key: SecretStr | None = None
    pool: int = Field(default=2, ge=1, le=64)
    # S3 accepts one week at most.
    link_seconds: int = Field(default=900, ge=1, le=WEEK)
    nightly: str = "0 2 * * *"
    # The address at which callers reach the store, if it is not the one that the service uses.
    public_endpoint: str | None = Field(default=None, pattern=r"^https?://")
    # A worker renews its lease. When the worker was killed, the lease expires after this time, and
    # another worker may make the report.
    lease_seconds: int = Field(default=15, ge=3)
    # How often beat starts the search for lost reports.
    tend_seconds: int = Field(default=30, ge=1)
    # Celery gives a message to another worker when it was not acknowledged for this time. A report
    # may take longer. The other worker then sees the lease, and tries again later.
    visible_seconds: int = Field(default=60, ge=5)
    # A file that a worker touches while it is connected to the broker, for a cheap health check.
    alive_file: str | None = None

    @field_validator("broker")
    @classmethod
    def _is_redis(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(("redis://", "rediss://")):
            raise ValueError("expected redis://:PASSWORD@HOST:PORT/DATABASE")
        return url

    @field_validator("key")
    @classmethod
    def _is_long(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(key.get_secret_value()) < 16:
            raise ValueError("expected 16 characters or more")
        return key

    @field_validator("nightly")
    @classmethod
    def _is_cron(cls, text: str) -> str:
        try:
            crontab.from_string(text)
        except (ParseException, ValueError) as error:
            raise ValueError(f"expected five fields of cron: {error}") from None
        return text

    @property
    def warehouse(self) -> Warehouse:
        """The database of the connection `warehouse`.

        Raises: ConnectionUnusable when the connection is missing or wrong.
        """
        return warehouse("warehouse")

    @property
    def store(self) -> Store:
        """The object store of the connection `landing`.

        Raises: ConnectionUnusable when the connection is missing or wrong.
        """
        return store("landing")

    @property
    def api_key(self) -> bytes:
        """The key that callers must send.

        Raises: TerminalError when the variable is missing.
        """
        if self.key is None:
            raise TerminalError(
                f"{PREFIX}KEY is not in the environment",
                expected="the key that callers send as X-API-Key, 16 characters or more",
            )
        return self.key.get_secret_value().encode()


def from_environ(environ: Mapping[str, str] = os.environ) -> Settings:
    """Reads the settings from the environment.

    Raises: TerminalError, which shows no value, when a variable is missing or wrong.
    """
    names = {name: PREFIX + name.upper() for name in Settings.model_fields}
    # An empty variable counts as unset: compose passes a variable that .env lacks as empty.
    values = {name: environ[key] for name, key in names.items() if environ.get(key)}
    try:
        return Settings.model_validate(values)
    except ValidationError as invalid:
        problem = invalid.errors(include_input=False, include_url=False)[0]
        raise TerminalError(
            f"{names[str(problem['loc'][0])]} is missing or wrong",
            expected=problem["msg"].removeprefix("Value error, "),
        ) from None


@cache
def settings() -> Settings:
    """Returns the settings of this process, which the first call reads.

    Raises: TerminalError when a variable is missing or wrong.
    """
    return from_environ()
