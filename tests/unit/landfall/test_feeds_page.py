"""docs/feeds.md shows a feed with every key, and the feed is one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from include.landfall.feed.columns import Column
from include.landfall.feed.contract import Contract
from include.landfall.feed.model import Feed
from include.landfall.feed.rejects import Rejects
from include.landfall.feed.rules import Check
from include.landfall.feed.source import Source
from include.landfall.feed.target import Target

PAGE = (Path(__file__).parents[3] / "docs" / "feeds.md").read_text(encoding="utf-8")
SHORT, EXAMPLE = re.findall(r"```yaml\n(# yaml-language-server.*?)```", PAGE, re.DOTALL)
CODE = EXAMPLE + " ".join(re.findall(r"`([^`\n]+)`", PAGE))
SECTIONS = (Feed, Source, Target, Contract, Column, Rejects, Check)


def test_the_example_with_every_key_is_a_feed():
    assert Feed.model_validate(yaml.safe_load(EXAMPLE)).name == "orders"


def test_the_short_example_is_a_feed():
    assert Feed.model_validate(yaml.safe_load(SHORT)).target.table == "raw.orders"


@pytest.mark.parametrize("section", SECTIONS)
def test_each_key_is_on_the_page(section):
    keys = [field.alias or name for name, field in section.model_fields.items()]
    assert [key for key in keys if not re.search(rf"\b{key}\b", CODE)] == []
