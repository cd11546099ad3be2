"""The feed that evolves: its page is walked as a reader does, and its own DAG loads it."""

from __future__ import annotations

import pytest
import yaml

from include.landfall.feed.model import Feed
from tests.support.astro_dags import World, world
from tests.support.databases import fresh_database
from tests.support.feed_dags import make_dag, run_feed_dag
from tests.support.page_walk import Walk, plain
from tests.support.readmes import blocks, commands
from tests.support.servers import fresh_bucket

__all__ = ["world"]

pytestmark = pytest.mark.timeout(300)

PAGE = "docs/contracts.md"
FEED = "include/feeds/products.yaml"
COMMANDS = commands(PAGE)
SHOWN = [block for block in blocks(PAGE) if block.language == "sh" and block.shown]
TEXT = next(block.text for block in blocks(PAGE) if block.language == "yaml")
DAYS = [block.text for block in blocks(PAGE) if block.language == "csv"][:4]
NEW_NAME = "{type: text, from: [title]}"


@pytest.fixture(scope="module")
def walked(warehouse_server, object_store, client, tmp_path_factory) -> dict[str, str]:
    """What each command of the page prints, one after the other."""
    walk = Walk(FEED, TEXT, tmp_path_factory.mktemp("reader"))
    with fresh_database(warehouse_server) as warehouse, fresh_bucket(client, "landing") as bucket:
        for day, text in enumerate(DAYS, 1):
            client.put_object(Bucket=bucket, Key=f"products/day-{day}.csv", Body=text.encode())
        return walk.run(COMMANDS, warehouse, object_store)


@pytest.mark.parametrize("block", SHOWN, ids=[block.commands[-1] for block in SHOWN])
def test_a_day_ends_as_the_page_shows(walked, block):
    assert plain(walked[block.commands[-1]]) == plain(block.shown)


def test_the_feed_that_evolves_stays_green_in_airflow(world: World, airflow_db: object) -> None:
    values = yaml.safe_load(TEXT)
    values["source"]["bucket"] = world.bucket
    for day, text in enumerate(DAYS, 1):
        world.put(f"products/day-{day}.csv", text)
        if day == len(DAYS):
            values["columns"]["name"] = yaml.safe_load(NEW_NAME)
        state, tasks = run_feed_dag(make_dag(Feed.model_validate(values)))
        assert (state, tasks["load"]) == ("success", ["success"]), day
    rows = world.rows(
        "SELECT product_id, name, price::text, day, stock FROM raw.products ORDER BY product_id"
    )
    assert rows == [
        (1, "kettle", "19.90", 1, None), (2, "teapot", "24.00", 2, 12),
        (3, "whisk", None, 3, 7), (4, "grater", "8.50", 4, 3),
    ]  # fmt: skip
