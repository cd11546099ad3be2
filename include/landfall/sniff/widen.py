"""Widens a proposal by the cells of the whole sample: types are told from its first rows alone."""

from __future__ import annotations

from include.landfall.feed.column_types import ColumnType, parse_type
from include.landfall.feed.formats import FORMATS
from include.landfall.sniff.findings import Finding, Proposal
from include.landfall.sniff.spelling import NULLS, PLAIN, is_number
from include.landfall.sniff.types import type_of
from include.landfall.sniff.verify import Reading

NUMBERS = ("integer", "bigint", "numeric")


def widen(proposal: Proposal, reading: Reading) -> bool:
    """Makes room for numbers and NULLs that the types have none for, and says whether it did.

    What else does not fit stays a doubt: it may be a mistake of the sender's.
    """
    widened = [_widen(proposal, name, cells) for name, cells in reading.misfits.items()]
    return any(widened)


def _widen(proposal: Proposal, name: str, cells: set[str]) -> bool:
    finding = proposal.columns[name]
    form = finding.value if isinstance(finding.value, dict) else {"type": finding.value}
    declared = parse_type(form["type"])
    if cells == {""}:
        return _take_empty_texts(finding, form)
    markers = cells & {*NULLS} if "nulls" in FORMATS[proposal.format_name].model_fields else set()
    numbers = cells - markers
    is_wider = declared.name in NUMBERS and all(is_number(cell, PLAIN) for cell in numbers)
    if numbers and not is_wider:
        return False
    if numbers:
        wider = type_of([*numbers, _widest(declared)], PLAIN)
        finding.evidence, finding.doubts = wider.evidence, wider.doubts
        finding.value = {**form, "type": wider.value} if len(form) > 1 else wider.value
    if markers:
        evidence = "without them columns are numbers or dates"
        nulls = proposal.options.setdefault("nulls", Finding([], evidence))
        nulls.value = sorted({*nulls.value, *markers})
        if any(each.value == "text" for each in proposal.columns.values()):
            nulls.doubts.append(f"{', '.join(sorted(markers))} become NULL in text columns, too")
    return True


def _take_empty_texts(finding: Finding, form: dict[str, object]) -> bool:
    """Lets empty texts be NULL in a column of another type. Only some formats can have them."""
    if "on_bad_cell" in form:
        return False
    finding.value = {**form, "on_bad_cell": None}
    finding.doubts.append(
        "empty texts are NULL by on_bad_cell, and so is all else that is no value"
    )
    return True


def _widest(declared: ColumnType) -> str:
    """Returns a number that needs all the digits of the type."""
    if declared.name != "numeric":
        return "1" * (10 if declared.name == "bigint" else 1)
    precision, scale = (*declared.modifiers, 0, 0)[:2]
    return "1" * max(1, precision - scale - 2 if precision > 18 else 1) + "." + "1" * scale
