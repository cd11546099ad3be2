"""The embedded Redis keeps what it has confirmed, and is for this machine alone."""

from __future__ import annotations

import socket

import psutil
import pytest
from redis import AuthenticationError, Redis

from include.local.services.process import is_free, wait_until
from include.local.services.redis_server import find_redis, start_redis


@pytest.fixture
def server(tmp_path):
    yield start_redis(tmp_path)
    left = find_redis(tmp_path)
    if left:
        left.remove()


def client(server, **values) -> Redis:
    return Redis.from_url(server.url, decode_responses=True, **values)


def test_what_it_has_confirmed_survives_a_kill(server):
    with client(server) as redis:
        for n in range(50):
            redis.lpush("kept", n)
    server.process.stop()
    again = start_redis(server.folder)
    assert (again.port, again.password) == (server.port, server.password)
    assert again.process != server.process
    with client(again) as redis:
        assert redis.llen("kept") == 50


def test_it_writes_each_change_to_disk_before_it_answers(server):
    wanted = {
        "appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction",
    }  # fmt: skip
    with client(server) as redis:
        assert {name: redis.config_get(name)[name] for name in wanted} == wanted


def test_started_twice_it_is_the_same_server(server):
    assert start_redis(server.folder).process == server.process


@pytest.mark.parametrize("password", ["", "wrong"])
def test_it_asks_for_the_password(server, password):
    with (
        Redis(port=server.port, password=password or None) as stranger,
        pytest.raises(AuthenticationError),
    ):
        stranger.ping()


def test_it_listens_on_this_machine_alone_and_its_command_line_shows_no_password(server):
    process = psutil.Process(server.process.pid)
    assert {c.laddr.ip for c in process.net_connections("inet")} == {"127.0.0.1"}
    assert server.password not in " ".join(process.cmdline())
    assert server.password not in repr(server)


def test_only_its_owner_can_read_the_password(server):
    for name in ("redis.conf", "service.json"):
        assert (server.folder / name).stat().st_mode & 0o077 == 0


def test_a_port_that_is_taken_is_replaced_by_another(server):
    server.process.stop()
    assert wait_until(lambda: is_free(server.port), 5)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", server.port))
        other.listen()
        again = start_redis(server.folder)
        assert again.port != server.port
        assert again.healthy()
