"""What a service remembers: ports, pids and passwords."""

from __future__ import annotations

import threading

import pytest

from include.local.state import LocalError, local_folder, locked, read_state, write_state


def test_a_service_that_never_ran_has_no_state(tmp_path):
    assert read_state(tmp_path / "nothing") == {}


def test_what_is_written_is_read(tmp_path):
    write_state(tmp_path, {"port": 1})
    write_state(tmp_path, {"port": 2})
    assert read_state(tmp_path) == {"port": 2}


def test_only_its_owner_can_read_the_passwords(tmp_path):
    write_state(tmp_path, {"password": "secret"})
    assert (tmp_path / "service.json").stat().st_mode & 0o777 == 0o600


def test_a_state_that_was_cut_short_says_what_to_do(tmp_path):
    (tmp_path / "service.json").write_text('{"port": ')
    with pytest.raises(LocalError, match=r"include\.local clean"):
        read_state(tmp_path)


def test_landfall_local_moves_the_folder(tmp_path):
    assert local_folder({"LANDFALL_LOCAL": str(tmp_path)}) == tmp_path
    assert local_folder({}).name == ".local"


def test_a_second_program_waits_for_the_first(tmp_path):
    order = []

    def second():
        with locked(tmp_path):
            order.append("second")

    with locked(tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.2)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_a_second_program_that_must_not_wait_is_refused(tmp_path):
    busy = LocalError("it runs already")
    with locked(tmp_path, "airflow.lock"):
        with locked(tmp_path):  # another lock
            pass
        with (
            pytest.raises(LocalError, match="runs already"),
            locked(tmp_path, "airflow.lock", busy),
        ):
            pass
    with locked(tmp_path, "airflow.lock", busy):
        pass
