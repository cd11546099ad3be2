"""A proxy in front of a server, which passes bytes on and lets a test cut connections."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

COMMIT = b"Q\0\0\0\x0bCOMMIT\0"  # the message by which a client commits


class Cut(Exception):
    """Raised by a hook in order to close both ends of the connection."""


class Link:
    """A connection through the proxy. A hook takes a chunk and returns the bytes to pass on."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client = client
        self.server = server
        self.bytes_back = 0
        self.limit = 0
        self.marked = False

    def close(self, *ends: socket.socket) -> None:
        """Closes both ends of the connection, or the given ones."""
        for end in ends or (self.client, self.server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


Hook = Callable[[Link, bytes], bytes]


def passing(_: Link, chunk: bytes) -> bytes:
    """Passes every chunk on: the hook that changes nothing."""
    return chunk


class Proxy:
    """A proxy on a free port of localhost. `forth` gets what clients send, `back` the answers."""

    def __init__(self, host: str, port: int, forth: Hook = passing, back: Hook = passing) -> None:
        self._server = (host, port)
        self._forth, self._back = forth, back
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.away = False  # whether new connections are refused
        threading.Thread(target=self._accept, daemon=True).start()

    @classmethod
    def of_url(cls, url: str, **hooks: Hook) -> Proxy:
        """Makes a proxy in front of an HTTP service."""
        parts = urlsplit(url)
        return cls(parts.hostname or "", parts.port or 80, **hooks)

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the proxy was closed
            while True:
                client, _ = self._socket.accept()
                if self.away:
                    client.close()
                    continue
                link = Link(client, socket.create_connection(self._server))
                directions = (
                    (client, link.server, self._forth), (link.server, client, self._back),
                )  # fmt: skip
                for each in directions:
                    threading.Thread(target=self._pump, args=(link, *each), daemon=True).start()

    def _pump(self, link: Link, source: socket.socket, to: socket.socket, hook: Hook) -> None:
        with contextlib.suppress(OSError, Cut):
            while chunk := source.recv(1 << 16):
                to.sendall(hook(link, chunk))
        link.close()
