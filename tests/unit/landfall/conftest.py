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
