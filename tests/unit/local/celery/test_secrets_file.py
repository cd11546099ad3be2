"""The .env that `make celery` makes: secrets are random, and what somebody wrote stays."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from include.local.celery.secrets_file import ensure_env, read_env
from include.local.state import PROJECT

EXAMPLE = PROJECT / ".env.example"
SECRETS = [name for name, value in read_env(EXAMPLE).items() if not value]


@pytest.fixture
def env(tmp_path):
    return tmp_path / ".env"


def test_the_example_has_no_value_for_any_secret():
    named = [n for n in read_env(EXAMPLE) if n.endswith(("PASSWORD", "SECRET", "KEY"))]
    assert named
    assert set(named) <= set(SECRETS)


def test_each_secret_is_long_and_differs_from_the_others(env):
    made = ensure_env(EXAMPLE, env)
    values = [made[name] for name in SECRETS]
    assert all(len(value) >= 32 for value in values)
    assert len(set(values)) == len(values)


def test_two_machines_have_different_secrets(tmp_path):
    one, two = (ensure_env(EXAMPLE, tmp_path / name) for name in ("one", "two"))
    assert not {one[name] for name in SECRETS} & {two[name] for name in SECRETS}


def test_the_fernet_key_is_valid(env):
    assert Fernet(ensure_env(EXAMPLE, env)["LANDFALL_FERNET_KEY"])


def test_only_its_owner_may_read_it(env):
    ensure_env(EXAMPLE, env)
    assert env.stat().st_mode & 0o777 == 0o600


def test_a_second_time_nothing_changes(env):
    first = ensure_env(EXAMPLE, env), env.read_text()
    assert (ensure_env(EXAMPLE, env), env.read_text()) == first


def test_what_somebody_wrote_stays_and_what_is_missing_is_added(env):
    env.write_text("LANDFALL_AIRFLOW_PORT=9999\nOWN=1\nLANDFALL_REDIS_PASSWORD=mine\n")
    made = ensure_env(EXAMPLE, env)
    assert env.read_text().startswith("LANDFALL_AIRFLOW_PORT=9999\nOWN=1\n")
    assert (made["LANDFALL_AIRFLOW_PORT"], made["LANDFALL_REDIS_PASSWORD"]) == ("9999", "mine")
    assert set(SECRETS) <= {name for name, value in made.items() if value}


def test_a_secret_that_is_there_without_a_value_gets_one(env):
    """Somebody copied the example by hand."""
    env.write_text(EXAMPLE.read_text())
    assert all(ensure_env(EXAMPLE, env).values())
