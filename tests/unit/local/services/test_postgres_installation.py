"""The data folder of the local PostgreSQL, where something of it is lost."""

from __future__ import annotations

import os

import pytest

from include.local.services import postgres_installation
from include.local.services.account import Account
from include.local.state import LocalError


def test_a_database_whose_password_is_lost_names_the_folder_to_remove(tmp_path, mocker):
    """After `rm -rf .local` as root the data can be outside of it, where `clean` finds nothing."""
    own = Account(os.geteuid(), os.getegid())
    mocker.patch.object(postgres_installation, "server_account", return_value=own)
    mocker.patch.object(postgres_installation, "_programs", return_value=tmp_path)
    outside = tmp_path / "outside"
    mocker.patch.object(postgres_installation, "reachable_folder", return_value=outside)
    (outside / "server/data").mkdir(parents=True)
    (outside / "server/data/PG_VERSION").write_text("18")
    with pytest.raises(LocalError, match="password is lost") as refused:
        postgres_installation.PostgresInstallation.make(tmp_path / "home", durable=False)
    assert f"rm -r {outside / 'server'}" in str(refused.value)
