"""Which feeds the people on call must hear of, because their files are overdue or cannot be seen.

They hear of each silence once. `Memory` is what one look hands to the next; a feed leaves it as
soon as it is in time again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from include.airflow_bridge.connections import store_of, warehouse_of
from include.landfall.errors import FilesLate, LandfallError
from include.landfall.feed.model import Feed

log = logging.getLogger(__name__)

# By a feed's name: since when it is looked at, the troubles that were told of, and the one that may
# pass by itself, such as a server that is away.
Memory = dict[str, dict[str, Any]]


def look_at(feeds: Iterable[Feed], memory: Mapping[str, Any]) -> tuple[list[str], Memory]:
    """Looks at the feeds that have `late_after`; returns what to tell, and the new memory."""
    texts: list[str] = []
    kept: Memory = {}
    for feed in feeds:
        now = datetime.now(UTC)
        before = memory.get(feed.name) or {"since": now.isoformat()}
        trouble = _trouble(feed, now, datetime.fromisoformat(before["since"]))
        tell, kept[feed.name] = _remember(trouble, before)
        if tell:
            texts.append(str(trouble))
        elif trouble:
            log.warning("%s\nnobody is told of it now", trouble)
    return texts, kept


def _trouble(feed: Feed, now: datetime, since: datetime) -> LandfallError | None:
    # Imported here, because every parse of a DAG file would pay for boto3 and psycopg.
    from include.landfall.late import in_time, look

    try:
        store = store_of(feed.source.connection)
        seen = look(feed, store, warehouse_of(feed.target.connection), now, since)
    except LandfallError as error:
        return error.at(feed=feed.name)
    if seen.late is None:
        log.info(in_time(feed, seen.newest))
    return seen.late


def _remember(trouble: LandfallError | None, before: dict[str, Any]) -> tuple[bool, dict[str, Any]]:
    """Returns whether to tell of the trouble, and what to remember of the feed.

    What may pass by itself is told of when the next look meets it again.
    """
    if trouble is None:
        return False, {"since": before["since"]}
    is_late = isinstance(trouble, FilesLate)
    name = f"late: {trouble.found}" if is_late else trouble.what
    told: list[str] = before.get("told", [])
    if name in told:
        return False, {**before, "passing": None}
    if trouble.retryable and before.get("passing") is None:
        return False, {**before, "passing": name}
    return True, {**before, "passing": None, "told": [*told, name]}
