"""The key that callers send: asked for before anything else of a request is looked at."""

from __future__ import annotations

import hmac
from collections.abc import Collection

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

HEADER = b"x-api-key"


class KeyRequired:
    """Lets through whoever sends the key as X-API-Key, and all to the paths that are free."""

    def __init__(self, app: ASGIApp, key: bytes, free: Collection[str]) -> None:
        self._app = app
        self._key = key
        self._free = frozenset(free)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan" or scope["path"] in self._free or self._knows(scope):
            await self._app(scope, receive, send)
        else:
            error = "the header X-API-Key is missing or wrong"
            await JSONResponse({"error": error}, 401)(scope, receive, send)

    def _knows(self, scope: Scope) -> bool:
        sent = next((value for name, value in scope["headers"] if name == HEADER), b"")
        # In constant time: how long a comparison takes must not tell how much of the key is right.
        return hmac.compare_digest(sent, self._key)
