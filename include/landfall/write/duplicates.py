"""What becomes of a file with the content of another one that is loaded."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from psycopg import Connection

from include.landfall.errors import DuplicateContent
from include.landfall.ledger.claims import Claimant
from include.landfall.ledger.duplicates import EarlierLoad, earlier_load


def check_content(
    connection: Connection,
    claimant: Claimant,
    content_hash: bytes,
    replaced: Sequence[int],
    *,
    force: bool,
) -> EarlierLoad | None:
    """Returns the load that brought the same content before, if there is one.

    Raises: DuplicateContent when the feed refuses such a file, and nobody forces it. The error
    carries the id of the earlier load as `duplicate_of`.
    """
    earlier = earlier_load(connection, claimant, content_hash, replaced) if content_hash else None
    if earlier and claimant.feed.source.duplicates == "refuse" and not force:
        error = DuplicateContent(
            "the file has the content of another file that is loaded",
            found=earlier.text,
            expected="new content, by source.duplicates: refuse",
            do="nothing, where the sender sent it twice: later runs leave it out; to load it all"
            f" the same: landfall load --feed … --key {shlex.quote(claimant.arrival.key)} --force",
        )
        error.duplicate_of = earlier.load_id
        raise error.at(feed=claimant.feed.name, object=claimant.arrival.uri)
    return earlier


def duplicate_of(error: BaseException) -> int | None:
    """Returns the load whose content the refused file has, if that is why it is refused."""
    return error.duplicate_of if isinstance(error, DuplicateContent) else None
