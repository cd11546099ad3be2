"""The page on the SDK's uses is made from the recording and from what is better here."""

from __future__ import annotations

from tests.support.sdk_uses import PAGE, page_table


def test_the_page_has_each_use_and_each_difference() -> None:
    assert PAGE.read_text(encoding="utf-8").endswith(page_table())
