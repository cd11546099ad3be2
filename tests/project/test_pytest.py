"""What pytest's settings promise of every run, seen from inside one."""

from __future__ import annotations

import socket
import warnings

import pytest
from pytest_socket import SocketConnectBlockedError


def test_the_network_is_shut():
    """A test that needs the outside is green on its author's machine only."""
    # pytest-socket warns before it raises, and warnings are errors.
    with pytest.raises((SocketConnectBlockedError, UserWarning), match=r"192\.0\.2\.1"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)


def test_this_machine_is_reached():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=1).close()


def test_a_warning_is_an_error():
    with pytest.raises(DeprecationWarning):
        warnings.warn("going away", DeprecationWarning, stacklevel=1)


def test_no_test_can_hang(request):
    assert 0 < float(request.config.getini("timeout")) <= 120


@pytest.mark.parametrize("option", ["strict_markers", "strict_config"])
def test_a_misspelt_mark_or_setting_is_an_error(request, option):
    assert request.config.getoption(option)
