"""The account that PostgreSQL runs as, and what it can reach."""

from __future__ import annotations

import os

import pytest

from include.local.services import account
from include.local.services.account import (
    Account,
    reachable_copy,
    reachable_folder,
    server_account,
)
from include.local.state import LocalError

OWN = Account(os.geteuid(), os.getegid())


class Nowhere(Account):
    """A user that can enter nothing."""

    def reaches(self, path):
        return False


def test_a_developer_runs_the_servers_as_himself(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    assert server_account({}).uid == 1234


def test_root_runs_them_as_another_user(monkeypatch):
    """PostgreSQL refuses root, and the shell of a container is often root's."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert server_account({}).uid != 0


def test_on_a_machine_with_no_other_user_root_gets_an_error_that_says_what_to_do(
    monkeypatch, mocker
):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    mocker.patch("pwd.getpwnam", side_effect=KeyError)
    with pytest.raises(LocalError, match="run as a user other than root"):
        server_account({})


def test_a_folder_that_can_be_entered_is_used(tmp_path):
    assert reachable_folder(tmp_path / "new", OWN) == tmp_path / "new"


def test_for_a_folder_in_a_closed_home_there_is_one_outside_of_it(tmp_path, monkeypatch):
    monkeypatch.setattr(account, "SHARED", tmp_path / "shared")
    closed = Nowhere(OWN.uid, OWN.gid)
    first = reachable_folder(tmp_path / "one", closed)
    assert first.parent == tmp_path / "shared"
    assert first.stat().st_mode & 0o777 == 0o700
    assert reachable_folder(tmp_path / "one", closed) == first
    assert reachable_folder(tmp_path / "two", closed) != first


def test_a_link_that_somebody_put_there_is_not_followed(tmp_path, monkeypatch):
    """Everybody can write to /var/tmp, also such a link."""
    monkeypatch.setattr(account, "SHARED", tmp_path / "shared")
    closed = Nowhere(OWN.uid, OWN.gid)
    outside = reachable_folder(tmp_path / "one", closed)
    outside.rmdir()
    outside.symlink_to(tmp_path)
    with pytest.raises(LocalError, match="belongs to somebody else"):
        reachable_folder(tmp_path / "one", closed)


def test_programs_that_cannot_be_reached_are_copied_with_their_libraries(tmp_path):
    """A virtual environment in root's home, closed to the user that runs PostgreSQL."""
    programs = tmp_path / "site" / "package" / "install"
    libraries = tmp_path / "site" / "package.libs"
    for folder in (programs, libraries):
        folder.mkdir(parents=True)
        (folder / "file").write_text("x")
    closed = Nowhere(OWN.uid, OWN.gid)
    copy = reachable_copy(programs, libraries, tmp_path / "copy", closed)
    assert copy == tmp_path / "copy" / "package" / "install"
    assert (copy / "file").read_text() == "x"
    assert (tmp_path / "copy" / "package.libs" / "file").exists()


def test_all_folders_of_a_copy_are_the_account_s(tmp_path, mocker):
    """With umask 077 the account could not pass the folder between the copied ones."""
    owned = mocker.patch("os.chown")
    programs = tmp_path / "site" / "package" / "install"
    programs.mkdir(parents=True)
    closed = Nowhere(OWN.uid, OWN.gid)
    copy = reachable_copy(programs, tmp_path / "site" / "none", tmp_path / "copy", closed)
    assert {call.args[0] for call in owned.call_args_list} == {tmp_path / "copy", copy.parent, copy}
