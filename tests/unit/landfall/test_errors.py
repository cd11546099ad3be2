"""An error says whether a retry helps, states each fact once, and survives a pipe."""

from __future__ import annotations

import pickle

import pytest

from include.landfall import errors
from include.landfall.errors import LandfallError, Place, TerminalError, TransientError, shorten

ALL = [v for v in vars(errors).values() if isinstance(v, type) and issubclass(v, LandfallError)]


@pytest.mark.parametrize("kind", [k for k in ALL if k is not LandfallError])
def test_every_error_says_whether_a_retry_can_help(kind):
    assert issubclass(kind, TransientError) != issubclass(kind, TerminalError)
    assert kind.retryable == issubclass(kind, TransientError)
    assert (kind.exit_code == 75) == kind.retryable
    assert kind.exit_code != 0


@pytest.mark.parametrize("kind", ALL)
def test_an_error_crosses_a_pipe_whole(kind):
    error = kind("what", found="f", expected="e", do="d", place=Place(line=3)).at(feed="flights")
    twin = pickle.loads(pickle.dumps(error))
    assert (type(twin), str(twin), twin.args) == (kind, str(error), ("what",))
    assert (twin.place, twin.retryable) == (error.place, error.retryable)


def test_the_message_has_every_part_that_is_known_and_no_other():
    error = TerminalError("it broke", found="x", expected="y", do="fix it")
    error.at(feed="flights", object="s3://b/k", line=2, row=1, column="day")
    assert str(error).splitlines() == [
        "it broke", "  feed: flights", "  object: s3://b/k", "  line: 2", "  row: 1",
        "  column: day", "  found: x", "  expected: y", "  what to do: fix it",
    ]  # fmt: skip
    assert str(TerminalError("it broke")) == "it broke"


def test_what_is_known_of_a_place_is_not_overwritten_by_who_knows_less():
    error = TerminalError("x", place=Place(line=7)).at(line=9, feed="flights")
    assert (error.place.line, error.place.feed) == (7, "flights")


def test_what_was_found_is_shown_on_one_short_printable_line():
    assert shorten("ü") == "ü"
    assert shorten("a\nb\x1b[31m") == r"'a\nb\x1b[31m'"
    assert shorten("x" * 500) == "x" * 400 + "… (500 characters)"
    every_part = dict.fromkeys(("what", "found", "expected", "do"), "\x1b[2J\n  line: 9")
    shown = str(TerminalError(**every_part)).splitlines()
    assert (len(shown), all(line.isprintable() for line in shown)) == (4, True)
    assert "  found: ''" not in str(TerminalError("x", found=None))
