"""Where the report service listens, and how its programs are told apart from another home's."""

from __future__ import annotations

import socket

from include.local.reports import programs
from include.local.services.process import LOCALHOST, free_ports
from include.local.state import read_state


def ports(home, **preferred):
    return programs._prepare(home, preferred)["ports"]


def test_it_listens_where_it_is_asked_to_and_there_again_the_next_time(tmp_path):
    api, flower = free_ports(2)
    assert ports(tmp_path, api=api, flower=flower) == {"api": api, "flower": flower}
    assert ports(tmp_path) == {"api": api, "flower": flower}


def test_a_port_that_is_taken_is_replaced_by_another(tmp_path):
    with socket.create_server((LOCALHOST, 0)) as other:
        taken = other.getsockname()[1]
        assert ports(tmp_path, api=taken)["api"] != taken


def test_its_key_stays_the_same_and_is_for_its_owner_alone(tmp_path):
    ports(tmp_path)
    key = read_state(tmp_path / programs.NAME)["key"]
    ports(tmp_path)
    assert read_state(tmp_path / programs.NAME)["key"] == key
    assert (tmp_path / programs.NAME / "service.json").stat().st_mode & 0o077 == 0


def test_the_sign_of_life_of_an_earlier_worker_does_not_count(tmp_path):
    ports(tmp_path)
    programs._alive_file(tmp_path).touch()
    ports(tmp_path)
    assert not programs._alive_file(tmp_path).exists()


def test_another_homes_service_on_the_same_port_is_not_this_ones(tmp_path, mocker):
    """It refuses the key of this home."""
    with socket.create_server((LOCALHOST, 0)) as other:
        mocker.patch.object(programs, "_state", return_value={
            "key": "mine", "ports": {"api": other.getsockname()[1]},
        })  # fmt: skip
        mocker.patch.object(programs.OPENER, "open", side_effect=refusal(401))
        assert programs.find_reports(tmp_path) is None
        mocker.patch.object(programs.OPENER, "open", side_effect=refusal(404))
        assert programs.find_reports(tmp_path) is not None


def refusal(code):
    return programs.urllib.error.HTTPError("http://x", code, "no", {}, None)
