"""The people on call hear once of each silence, and not of what passes by itself."""

from __future__ import annotations

from datetime import datetime

import pytest

from include.landfall.errors import ConnectionUnusable, FilesLate, LandfallError, ServerUnavailable
from include.landfall.feed.model import Feed
from plugins.arrivals import late

FEED = Feed.model_validate(
    {
        "feed": "t",
        "source": {"bucket": "landing", "pattern": "t/*", "late_after": "26 hours"},
        "target": {"table": "raw.t"},
        "columns": {"id": "integer"},
    }
)
MONDAY = FilesLate("no new file has come for 2 days", found="t/1.csv, came on Monday")
LONGER = FilesLate("no new file has come for 3 days", found="t/1.csv, came on Monday")
FRIDAY = FilesLate("no new file has come for 2 days", found="t/2.csv, came on Friday")
AWAY = ServerUnavailable("Postgres does not answer")
REFUSED = ConnectionUnusable("the password is wrong")

# What each look meets, and whether it is told of.
CASES: dict[str, list[tuple[LandfallError | None, bool]]] = {
    "a silence": [(None, False), (MONDAY, True), (LONGER, False), (None, False)],
    "two silences": [(MONDAY, True), (None, False), (FRIDAY, True)],
    "a file between two looks": [(MONDAY, True), (FRIDAY, True), (FRIDAY, False)],
    "a server that comes back": [(AWAY, False), (None, False), (AWAY, False), (None, False)],
    "a server that stays away": [(AWAY, False), (AWAY, True), (AWAY, False)],
    "a server that is away in a silence": [(MONDAY, True), (AWAY, False), (LONGER, False)],
    "a server that is away twice in a silence": [
        (MONDAY, True), (AWAY, False), (LONGER, False), (AWAY, False), (AWAY, True),
    ],
    "a wrong password": [(REFUSED, True), (REFUSED, False), (None, False), (REFUSED, True)],
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_it_is_told_once(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    memory: late.Memory = {}
    for number, (trouble, expected) in enumerate(CASES[case]):
        monkeypatch.setattr(late, "_trouble", lambda *_, trouble=trouble: trouble)
        texts, memory = late.look_at([FEED], memory)
        assert texts == ([str(trouble)] if expected else []), number


def test_a_new_feed_is_looked_at_since_the_first_look(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[datetime] = []
    monkeypatch.setattr(late, "_trouble", lambda _, __, since: begun.append(since))
    _, memory = late.look_at([FEED], {})
    _, memory = late.look_at([FEED], memory)
    assert begun[0] == begun[1]
    assert late.look_at([], memory) == ([], {})  # the feed is gone, or has the key no more
