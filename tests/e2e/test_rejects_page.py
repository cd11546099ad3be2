"""The page on rejected rows is walked as a reader walks it, and shows what the commands print."""

from __future__ import annotations

import pytest

from tests.support.databases import fresh_database
from tests.support.page_walk import Walk, plain
from tests.support.readmes import blocks, commands
from tests.support.servers import fresh_bucket

pytestmark = pytest.mark.timeout(300)

PAGE = "docs/rejects.md"
FEED = "include/feeds/payments.yaml"
COMMANDS = commands(PAGE)
SHOWN = [block for block in blocks(PAGE) if block.language == "sh" and block.shown]


def text_of(language: str) -> str:
    (block,) = (block for block in blocks(PAGE) if block.language == language)
    return block.text


@pytest.fixture(scope="module")
def walked(warehouse_server, object_store, client, tmp_path_factory) -> dict[str, str]:
    """What each command of the page prints, one after the other."""
    walk = Walk(FEED, text_of("yaml"), tmp_path_factory.mktemp("reader"), ("edited.csv",))
    with fresh_database(warehouse_server) as warehouse, fresh_bucket(client, "landing") as bucket:
        client.put_object(Bucket=bucket, Key="payments/2026-01.csv", Body=text_of("csv").encode())
        return walk.run(COMMANDS, warehouse, object_store)


@pytest.mark.parametrize("block", SHOWN, ids=[block.commands[-1] for block in SHOWN])
def test_a_step_prints_what_the_page_shows(walked, block):
    assert plain(walked[block.commands[-1]]) == plain(block.shown)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("--reason cell", "1 row "),
        ("replay --feed include/feeds/payments.yaml --file edited.csv", "1 row "),
        ("--dismiss 3", "1 dismissed"),
        ("status --feed include/feeds/payments.yaml", "1 row rejected"),
        ("forget --feed include/feeds/payments.yaml", "3 rows, 3 rejects, 2 replays, 1 ledger row"),
        ("plan --feed include/feeds/payments.yaml", "load  payments/2026-01.csv"),
    ],
)
def test_the_loop_is_closed_step_by_step(walked, command, words):
    (printed,) = (text for typed, text in walked.items() if command in typed)
    assert words in printed
