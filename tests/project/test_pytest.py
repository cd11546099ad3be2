"""The settings of pytest do what they should, seen from inside a run."""

from __future__ import annotations

import socket
import warnings

import pytest
from pytest_socket import SocketConnectBlockedError


def test_the_network_cannot_be_reached():
    """A test that needs the network is green only where there is one."""
    # pytest-socket warns before it raises, and a warning is an error.
    with pytest.raises((SocketConnectBlockedError, UserWarning), match=r"192\.0\.2\.1"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)


def test_this_machine_can_be_reached():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=1).close()


def test_a_warning_is_an_error():
    with pytest.raises(DeprecationWarning):
        warnings.warn("going away", DeprecationWarning, stacklevel=1)


def test_every_test_has_a_timeout(request):
    assert 0 < request.config.option.timeout <= 120


@pytest.mark.parametrize("option", ["strict_markers", "strict_config"])
def test_a_misspelt_mark_or_setting_is_an_error(request, option):
    assert request.config.getoption(option)
