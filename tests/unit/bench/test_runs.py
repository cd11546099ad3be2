"""The feed of a bench names the objects that it loads."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.landfall.feed.yaml_file import read_feed
from tests.bench.data import NAMES
from tests.bench.runs import Bench


@pytest.mark.parametrize("way", NAMES)
@pytest.mark.parametrize("folder", ["scale-1", "scale-3", "dirty"])
def test_the_feed_of_a_bench_matches_the_keys_that_are_loaded(tmp_path, way, folder):
    bench = Bench(tmp_path, None, None)  # type: ignore[arg-type]  no server is asked
    command = bench._load(way, f"{folder}/{NAMES[way]}")
    feed = read_feed(Path(command[command.index("--feed") + 1]))
    assert feed.source.matches(str(command[-1]))
