"""The engine without servers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from include.landfall.feed.model import Feed
from include.landfall.feed.yaml_file import read_feed


@pytest.fixture
def read_yaml(tmp_path) -> Callable[[str], Feed]:
    """Reads a feed from its text, by way of the file feed.yaml."""

    def read_yaml(text: str) -> Feed:
        path = tmp_path / "feed.yaml"
        path.write_text(text)
        return read_feed(path)

    return read_yaml


@pytest.fixture
def feed_file(tmp_path) -> str:
    """The path of the file of a feed that is called x."""
    path = tmp_path / "x.yaml"
    path.write_text(
        "feed: x\nsource: {bucket: landing, pattern: x/*}\n"
        "target: {table: raw.x}\ncolumns: {a: text}\n"
    )
    return str(path)
