"""Scan: reads a CSV file slowly and exactly, to name the line of what the fast way refused.

Its grammar is the fast reader's (Arrow's): a quote opens a quoted field only at the field's
start, is doubled inside it, and what follows a closing quote belongs to the field.
"""

from __future__ import annotations

from include.landfall.errors import HeaderMismatch, Place


def check_header(found: list[str], expected: list[str]) -> None:
    """Raises HeaderMismatch unless the file has each of the feed's columns once, and no other."""
    twice = sorted({name for name in found if found.count(name) > 1})
    missing = [name for name in expected if name not in found]
    extra = [name for name in found if name not in expected]
    if not (twice or missing or extra):
        return
    said = [
        f"{what}: {', '.join(map(repr, names))}"
        for what, names in (("twice", twice), ("missing", missing), ("not in the feed", extra))
        if names
    ]
    raise HeaderMismatch(
        "the file's columns are not the feed's",
        found="; ".join(said),
        expected=", ".join(expected),
        do="name the columns under columns: as the file has them, or ask the sender",
        place=Place(line=1),
    )
