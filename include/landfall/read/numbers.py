"""Rewrites numbers as Postgres spells them, where a feed says how the file spells them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from include.landfall.feed.dialect import Spelling
from include.landfall.read import dates
from include.landfall.read.casts.guards import matching

BLANK = r"[\s\x{a0}\x{202f}]*"  # Excel writes such blanks between a number and its unit
MINUS_OF = {"behind": (r"^(.*)([+-])$", r"\2\1"), "brackets": (r"^\((.*)\)$", r"-\1")}


def are_spelt(spelling: Spelling) -> bool:
    """Returns whether numbers are spelt in another way than Postgres's."""
    marks = spelling.decimal != "." or spelling.thousands
    return bool(marks or spelling.negatives != "minus" or spelling.units)


def spelt_numbers(texts: pa.Array, spelling: Spelling) -> pa.Array:
    """Returns numbers as Postgres spells them; what is none gets a note."""
    return step_for(spelling)(texts) if are_spelt(spelling) else texts


def step_for(spelling: Spelling) -> Callable[[pa.Array], pa.Array]:
    """Makes the step that rewrites numbers of this spelling."""
    number, marks = f"^{BLANK}({_number(spelling)}){BLANK}$", _marks(spelling)

    def step(texts: pa.Array) -> pa.Array:
        marked = matching(texts, marks)
        if not pc.any(marked).as_py():
            return texts
        fits = matching(texts, number)
        unfit = pc.and_(marked, pc.invert(fits))
        others = dates.noted(texts, unfit, f"not as {_options(spelling)} say")
        return pc.if_else(pc.and_(marked, fits), _plain(texts, spelling), others)

    return step


def _number(spelling: Spelling) -> str:
    """Returns the form of a number: with its units on either side, and its sign where it may be."""
    decimal, thousands = re.escape(spelling.decimal), re.escape(spelling.thousands)
    whole = rf"(\d+|\d{{1,3}}({thousands}\d{{3}})+)" if thousands else r"\d+"
    digits = rf"({whole}({decimal}\d*)?|{decimal}\d+)([eE][+-]?\d+)?"
    unit = rf"((?:{'|'.join(map(re.escape, spelling.units))}){BLANK})?" if spelling.units else ""
    before, behind = f"{unit}{BLANK}", f"{BLANK}{unit}" if unit else ""
    forms = [rf"{unit}[+-]?{before if unit else ''}{digits}{behind}"]
    if spelling.negatives == "behind":
        forms.append(rf"{unit}{digits}{BLANK}[+-]{behind}")
        forms.append(rf"{unit}{digits}{behind}{BLANK}[+-]")
    if spelling.negatives == "brackets":
        forms.append(rf"{unit}\({BLANK}{unit}{digits}{behind}{BLANK}\){behind}")
    return "|".join(forms)


def _marks(spelling: Spelling) -> str:
    """Returns what stands in cells that Postgres would refuse, or read in another way."""
    marks = [f"[.{re.escape(spelling.decimal + spelling.thousands)}]"]
    marks += map(re.escape, spelling.units)
    marks += {"minus": [], "behind": [rf"[+-]{BLANK}$"], "brackets": ["[()]"]}[spelling.negatives]
    return "|".join(marks)


def _plain(texts: pa.Array, spelling: Spelling) -> pa.Array:
    plain = texts
    for unit in spelling.units:
        plain = pc.replace_substring(plain, unit, "")
    if spelling.units or spelling.negatives != "minus":
        plain = pc.replace_substring_regex(plain, r"[\s\x{a0}\x{202f}]", "")
    plain = pc.utf8_trim_whitespace(plain)
    if spelling.negatives in MINUS_OF:
        plain = pc.replace_substring_regex(plain, *MINUS_OF[spelling.negatives])
    if spelling.thousands:
        plain = pc.replace_substring(plain, spelling.thousands, "")
    return pc.replace_substring(plain, spelling.decimal, ".")


def _options(spelling: Spelling) -> str:
    """Names the options of the feed, for the note."""
    names = ["decimal:", "thousands:"]
    names += ["negatives:"] if spelling.negatives != "minus" else []
    names += ["units:"] if spelling.units else []
    return f"{', '.join(names[:-1])} and {names[-1]}"
