"""What a request must pass first: the check of its key, then the limit on its body."""

from __future__ import annotations

import hmac
from collections.abc import Collection

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = b"x-api-key"
MAX_BODY_BYTES = 64 << 10  # a request takes some hundred


class KeyRequired:
    """Middleware that answers 401 unless the request has the key or asks for a free path."""

    def __init__(self, app: ASGIApp, key: bytes, free: Collection[str]) -> None:
        self._app = app
        self._key = key
        self._free = frozenset(free)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request on to the application, or refuses it."""
        if scope["type"] == "lifespan" or scope["path"] in self._free or self._has_key(scope):
            await self._app(scope, receive, send)
        else:
            error = "the header X-API-Key is missing or wrong"
            await JSONResponse({"error": error}, 401)(scope, receive, send)

    def _has_key(self, scope: Scope) -> bool:
        sent_key = next((value for name, value in scope["headers"] if name == HEADER), b"")
        # compare_digest always takes the same time. Otherwise the time of an answer would show how
        # many of the key's first characters are right.
        return hmac.compare_digest(sent_key, self._key)


class BodyLimit:
    """Middleware that answers 413 when a body is too large, without holding more of it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request on, with a `receive` that ends a body that is too large."""
        received = 0

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                raise HTTPException(413, f"the body is larger than {MAX_BODY_BYTES} bytes")
            return message

        await self._app(scope, limited, send)
