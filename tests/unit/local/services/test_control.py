"""What a command starts it stops; what ran before goes on."""

from __future__ import annotations

import pytest

from include.local.services import control
from include.local.services.control import services_while_needed


@pytest.fixture
def calls(mocker):
    """The names of the calls of up and down, in order."""
    names = []
    for name in ("up", "down"):
        mocker.patch.object(control, name, side_effect=lambda home, name=name: names.append(name))
    return names


def test_services_that_were_started_are_stopped_also_after_an_error(tmp_path, calls):
    with pytest.raises(KeyboardInterrupt), services_while_needed(tmp_path):
        raise KeyboardInterrupt
    assert calls == ["up", "down"]


def test_a_service_that_ran_before_goes_on(tmp_path, calls, mocker):
    mocker.patch.object(control, "alive", return_value=["postgres"])
    with services_while_needed(tmp_path):
        pass
    assert calls == ["up"]


def test_what_a_failed_start_has_started_is_stopped(tmp_path, calls, mocker):
    mocker.patch.object(control, "up", side_effect=control.LocalError("no port"))
    with pytest.raises(control.LocalError), services_while_needed(tmp_path):
        pass
    assert calls == ["down"]
