"""A pattern of a source matches the keys that it says, and lists only their prefix."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.landfall.feed.source import Source


@pytest.mark.parametrize(
    ("pattern", "prefix", "hits", "misses"),
    [
        ("a/*.csv*", "a/", ["a/1.csv", "a/.csv.gz"], ["a/b/1.csv", "b/1.csv", "a/1.CSV"]),
        ("a/**.csv", "a/", ["a/b/c.csv"], ["a/b/c.csv.gz"]),
        ("a/?.csv", "a/", ["a/1.csv"], ["a/12.csv", "a//.csv"]),
        ("a/[12].csv", "a/", ["a/1.csv"], ["a/3.csv", "a/[12].csv"]),
        ("a/[!12].csv", "a/", ["a/3.csv"], ["a/1.csv"]),
        ("a.csv", "a.csv", ["a.csv"], ["axcsv", "a.csv\n"]),
        ("a+(b)|c^$.csv", "a+(b)|c^$.csv", ["a+(b)|c^$.csv"], ["aab"]),
        ("*", "", ["a", ""], ["a/b"]),
        ("a/2013-[01][0-9].csv", "a/2013-", ["a/2013-07.csv"], ["a/2013-27.csv"]),
        ("a/[.csv", "a/", ["a/[.csv"], ["a/x.csv"]),
    ],
)  # fmt: skip
def test_a_pattern_matches_as_it_says_and_lists_only_its_prefix(pattern, prefix, hits, misses):
    source = Source(bucket="landing", pattern=pattern)
    assert source.prefix == prefix
    assert [key for key in hits if not source.matches(key)] == []
    assert [key for key in misses if source.matches(key)] == []


@given(
    st.text(st.sampled_from("ab/*?[]!-.\\^"), min_size=1, max_size=8), st.text("ab/[]", max_size=6)
)
def test_a_key_that_matches_begins_with_the_prefix_that_is_listed(pattern, key):
    try:
        source = Source(bucket="landing", pattern=pattern)
    except ValueError:
        return  # a pattern that can match nothing is refused
    assert not source.matches(key) or key.startswith(source.prefix)


@pytest.mark.parametrize("pattern", ["**", "a/*", "a/?*", "a/**.csv", "a/[!x]b.csv"])
def test_a_key_with_a_line_break_is_matched_like_any_other(pattern):
    """It would be in no run, and nobody would be told."""
    assert Source(bucket="landing", pattern=pattern).matches("a/\nb.csv")
