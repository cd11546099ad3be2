"""The command line names its commands, and says what is wrong."""

from __future__ import annotations

import pytest

from include.local.__main__ import COMMANDS, main


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LANDFALL_LOCAL", str(tmp_path))


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in COMMANDS)


def test_an_unknown_command_is_refused(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["dwon"])
    assert ended.value.code == 2
    assert "dwon" in capsys.readouterr().err


def test_down_is_safe_when_nothing_runs(capsys):
    assert main(["down"]) == 0
    assert capsys.readouterr().out == "nothing runs\n"


def test_status_says_that_nothing_runs(capsys):
    assert main(["status"]) == 1
    assert capsys.readouterr().out.count("does not run") == 2


def test_put_names_a_file_that_is_not_there(capsys, tmp_path):
    assert main(["put", str(tmp_path / "orders.csv"), "orders/1.csv"]) == 1
    assert str(tmp_path / "orders.csv") in capsys.readouterr().err


@pytest.mark.parametrize("command", ["env", "seed", "compare"])
def test_without_services_it_says_how_to_start_them(command, capsys):
    assert main([command]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "make up" in printed.err
