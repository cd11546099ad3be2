"""Links to reports: signed by the service's own key, for whoever has them, until they expire."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from include.landfall.s3.client import make_client

from .settings import BUCKET, Settings


class Links:
    """Signs links, which asks no server."""

    def __init__(self, settings: Settings) -> None:
        store = settings.store
        if settings.public_endpoint:
            store = replace(store, endpoint_url=settings.public_endpoint)
        self._client = make_client(store, signature_version="s3v4")
        self._seconds = settings.link_seconds

    def to(self, place: str) -> dict[str, str]:
        """The link to an object, and when it expires."""
        link = self._client.generate_presigned_url(
            "get_object", Params={"Bucket": BUCKET, "Key": place}, ExpiresIn=self._seconds
        )
        expires = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self._seconds)
        return {"link": link, "link_expires": expires.isoformat(timespec="seconds")}
