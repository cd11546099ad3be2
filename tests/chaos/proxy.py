"""A server's stand-in on a port of its own, which passes bytes on until it is told to break."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from urllib.parse import urlsplit


class Cut(Exception):
    """Raised by a hook: both ends of the connection are to be closed now."""


class Link:
    """One connection through the proxy. A hook gets a chunk and gives on what passes."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client = client
        self.server = server
        self.bytes_back = 0
        self.limit = 0
        self.marked = False

    def close(self, *ends: socket.socket) -> None:
        """Ends the connection at both ends, or at those given."""
        for end in ends or (self.client, self.server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


Hook = Callable[[Link, bytes], bytes]


def passing(_: Link, chunk: bytes) -> bytes:
    """The hook that does nothing."""
    return chunk


class Proxy:
    """Listens on a free port of localhost; `forth` sees what clients send, `back` the answers."""

    def __init__(self, host: str, port: int, forth: Hook = passing, back: Hook = passing) -> None:
        self._server = (host, port)
        self._forth, self._back = forth, back
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.away = False  # whether new connections are refused
        threading.Thread(target=self._accept, daemon=True).start()

    @classmethod
    def of_url(cls, url: str, **hooks: Hook) -> Proxy:
        """A proxy of an HTTP service."""
        parts = urlsplit(url)
        return cls(parts.hostname or "", parts.port or 80, **hooks)

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._socket.accept()
                if self.away:
                    client.close()
                    continue
                link = Link(client, socket.create_connection(self._server))
                ways = ((client, link.server, self._forth), (link.server, client, self._back))
                for way in ways:
                    threading.Thread(target=self._pump, args=(link, *way), daemon=True).start()

    def _pump(self, link: Link, source: socket.socket, to: socket.socket, hook: Hook) -> None:
        with contextlib.suppress(OSError, Cut):
            while chunk := source.recv(1 << 16):
                to.sendall(hook(link, chunk))
        link.close()
