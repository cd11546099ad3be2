"""What a feed may say of its loaded files: never that they move to where they are loaded again."""

from __future__ import annotations

import pytest

from include.landfall.errors import FeedError
from include.landfall.feed.source import Source

FEED = """\
feed: flights
source:
  bucket: landing
  pattern: {pattern}
  loaded_files: {rule}
target: {{table: raw.flights, disposition: replace}}
columns: {{year: smallint}}
"""
WRONG = [
    ("{}", ["'source.loaded_files' is wrong", "move_to with a prefix, or delete: true"]),
    ("{after_days: 3}", ["move_to with a prefix"]),
    ("{delete: true, move_to: x/}", ["'source.loaded_files.delete'", "one of the two"]),
    ("{move_to: x}", ["'source.loaded_files.move_to'", "ends with /"]),
    ("{move_to: s3://b/x/}", ["'source.loaded_files.move_to'", "same bucket"]),
    ("{move_to: /x/}", ["'source.loaded_files.move_to'", "same bucket"]),
    ("{delete: true, after_days: -1}", ["'source.loaded_files.after_days'"]),
    ("{moveto: x/}", ["'source.loaded_files.moveto'", "did you mean 'move_to'?"]),
    ("{delete: true}\n  snapshot: dir", ["'source.loaded_files' is wrong", "snapshot"]),
]
TAKEN_AGAIN = ["**", "**/*.csv", "x/**", "x/*/[xyz]/**", "*/**/[!a]?.csv"]
LEFT_OUT = [("in/**", "x/"), ("*/*.csv", "x/"), ("x/*/[abc]/*", "_x/"), ("**", "_x/")]


def refused(read_yaml, rule, pattern="flights/*.csv"):
    with pytest.raises(FeedError) as caught:
        read_yaml(FEED.format(pattern=f"'{pattern}'", rule=rule))
    assert caught.value.place.line == 5
    return str(caught.value)


@pytest.mark.parametrize(("rule", "words"), WRONG)
def test_a_wrong_rule_is_named_by_line_and_field(read_yaml, rule, words):
    text = refused(read_yaml, rule)
    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize("pattern", TAKEN_AGAIN)
def test_files_cannot_be_moved_where_they_would_be_loaded_again(read_yaml, pattern):
    text = refused(read_yaml, "{move_to: x/}", pattern)
    assert "found: x/" in text
    assert "loaded again" in text


@pytest.mark.parametrize(("pattern", "move_to"), LEFT_OUT)
def test_files_can_be_moved_where_the_pattern_leaves_them_out(pattern, move_to):
    source = Source(bucket="landing", pattern=pattern, loaded_files={"move_to": move_to})
    assert not source.takes(move_to + "in/a/b/1.csv")
