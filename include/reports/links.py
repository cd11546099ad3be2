"""Signed links to reports. Whoever has a link can read the report until the link expires."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from include.landfall.s3.client import make_client

from .settings import BUCKET, Settings


class Links:
    """Signs links with the key of the service's own connection, without asking any server."""

    def __init__(self, settings: Settings) -> None:
        store = settings.store
        if settings.public_endpoint:
            store = replace(store, endpoint_url=settings.public_endpoint)
        self._client = make_client(store, signature_version="s3v4")
        self._seconds = settings.link_seconds

    def sign(self, key: str) -> dict[str, str]:
        """Returns a link to the object with this key, and the time when the link expires."""
        link = self._client.generate_presigned_url(
            "get_object", Params={"Bucket": BUCKET, "Key": key}, ExpiresIn=self._seconds
        )
        expires = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self._seconds)
        return {"link": link, "link_expires": expires.isoformat(timespec="seconds")}

    def close(self) -> None:
        """Closes the S3 client."""
        self._client.close()
