"""The settings of the service, all from environment variables; read once, when it starts."""

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
    """Each field is the variable of its name in capitals, after LANDFALL_REPORTS_."""

    model_config = ConfigDict(frozen=True)

    broker: SecretStr
    # Only the API needs it; a worker that does not know it cannot tell it.
    key: SecretStr | None = None
    pool: int = Field(default=2, ge=1, le=64)
    # S3 takes a week at the most.
    link_seconds: int = Field(default=900, ge=1, le=WEEK)
    nightly: str = "0 2 * * *"
    # Where those who follow a link reach the store, when that is not where the service does.
    public_endpoint: str | None = Field(default=None, pattern=r"^https?://")
    # A killed worker's report is taken up when its lease has run out; a living one renews it. Beat
    # has such reports looked for so often.
    lease_seconds: int = Field(default=15, ge=3)
    tend_seconds: int = Field(default=30, ge=1)
    # A message that its worker has not acknowledged goes to another after this time. A report may
    # take longer: then the other finds its lease, and comes again.
    visible_seconds: int = Field(default=60, ge=5)
    # A file that a worker touches while it is connected, for a health check that costs nothing.
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
        """The database of the connection `warehouse`. Raises ConnectionUnusable."""
        return warehouse("warehouse")

    @property
    def store(self) -> Store:
        """The object store of the connection `landing`. Raises ConnectionUnusable."""
        return store("landing")

    @property
    def api_key(self) -> bytes:
        """What callers must send. Raises TerminalError where the variable is missing."""
        if self.key is None:
            raise TerminalError(
                f"{PREFIX}KEY is not in the environment",
                expected="the key that callers send as X-API-Key, 16 characters or more",
            )
        return self.key.get_secret_value().encode()


def from_environ(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings that the environment holds. Raises TerminalError, which tells no value."""
    names = {name: PREFIX + name.upper() for name in Settings.model_fields}
    # An empty variable is an unset one: compose passes those that .env lacks as empty.
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
    """This process's settings, read at the first call. Raises TerminalError."""
    return from_environ()
