"""TLS in front of a PostgreSQL server: the embedded one is built without it.

It answers the request for TLS as a server does, and hands everything else on as it came:
https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

ASKS_FOR_TLS = bytes.fromhex("0000000804d2162f")
ASKS_FOR_GSS = bytes.fromhex("0000000804d21630")


@contextmanager
def tls_front(port: int, certificate: tuple[str, str]) -> Iterator[int]:
    """Listens in front of the server on this port of localhost, and yields the port to connect to.

    Clients that ask for no TLS are handed on too.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, port, context), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)  # wakes accept()


def _accept(listener: socket.socket, port: int, context: ssl.SSLContext) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:  # the test is over
            return
        threading.Thread(target=_serve, args=(client, port, context), daemon=True).start()


def _serve(client: socket.socket, port: int, context: ssl.SSLContext) -> None:
    with suppress(OSError), client, socket.create_connection(("127.0.0.1", port)) as server:
        first = client.recv(1 << 16)
        if first == ASKS_FOR_GSS:
            client.sendall(b"N")
            first = client.recv(1 << 16)
        if first == ASKS_FOR_TLS:
            client.sendall(b"S")
            with context.wrap_socket(client, server_side=True) as encrypted:
                _exchange(encrypted, server)
            return
        server.sendall(first)
        _exchange(client, server)


def _exchange(client: socket.socket, server: socket.socket) -> None:
    back = threading.Thread(target=_hand_on, args=(server, client), daemon=True)
    back.start()
    _hand_on(client, server)
    back.join()


def _hand_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
