"""Whether the first rows of a table are names, and what its columns are called."""

from __future__ import annotations

import re
from collections.abc import Sequence

from include.landfall.sniff.findings import Finding
from include.landfall.sniff.spelling import DATE, NULLS, PLAIN, Marks, is_number

MOST_HEADERS = 3
FEW_ROWS = 12
LONGEST_CODE, FEWEST_CODES = 4, 5
CODE_NAMES = {"ID", "NO", "NR", "KEY", "CODE", "NAME", "TYPE"}  # written as codes are
MOST_JUDGED = 5000
Row = Sequence[str | None]


def header_of(rows: Sequence[Row], marks: Marks = PLAIN) -> Finding:
    """Returns how many of the first rows are names, as a feed says it."""
    rows = rows[:MOST_JUDGED]
    if len(rows) < 2:
        doubt = "there are too few rows to tell names from values"
        looks_typed = bool(rows) and any(is_typed(cell, marks) for cell in rows[0])
        return Finding(not looks_typed, "", [doubt])
    typed = _typed_columns(rows[MOST_HEADERS:], marks)
    if not typed and len(rows) <= FEW_ROWS:  # what may be headers tells more than it hides
        typed = _typed_columns(rows[1:], marks)
    if not typed:
        return _by_texts(rows)
    count = _headers(rows, typed, marks)
    names = f"{len(typed)} columns have numbers or dates below"
    if count == 0:
        return Finding(False, f"the first row has numbers or dates as those below: {names}")
    return Finding(True if count == 1 else count, f"no number or date in it, and {names}")


def _headers(rows: Sequence[Row], typed: Sequence[int], marks: Marks) -> int:
    """Returns how many of the first rows have no value in the columns of numbers and dates."""
    count = 0
    for row in rows[:MOST_HEADERS]:
        if any(is_typed(row[at], marks) for at in typed if at < len(row)):
            break
        if all(cell in (None, *NULLS) for cell in row) or count == len(rows) - 1:
            break
        if all(_cell(row, at) in ("", *NULLS) for at in typed):
            break  # a row of data whose numbers are missing
        count += 1
    return count


def _by_texts(rows: Sequence[Row]) -> Finding:
    """Judges a table of texts alone, which is always in doubt."""
    first = [cell or "" for cell in rows[0]]
    below = [{row[at] for row in rows[1:] if at < len(row)} for at in range(len(first))]
    repeated = sum(cell in others for cell, others in zip(first, below, strict=True) if cell)
    named = all(re.fullmatch(r"[\w .()/%#-]{1,63}", cell) for cell in first if cell)
    is_code = any(_is_code(cell, others) for cell, others in zip(first, below, strict=True))
    is_header = len(set(first)) == len(first) and not repeated and named and not is_code
    doubt = "all columns are text, so the first row may be names or values: look at it"
    return Finding(is_header, "its cells are different names" if is_header else "", [doubt])


def _is_code(cell: str, others: set[str | None]) -> bool:
    """Returns whether a cell is a code of capitals and digits, as all others of its column are."""
    codes = {other for other in others if other}
    form = rf"[A-Z0-9]{{{len(cell)}}}"
    return (
        2 <= len(cell) <= LONGEST_CODE
        and cell not in CODE_NAMES
        and len(codes) >= FEWEST_CODES
        and all(re.fullmatch(form, each) for each in [cell, *codes])
    )


def _cell(row: Row, at: int) -> str:
    return (row[at] or "") if at < len(row) else ""


def is_typed(cell: str | None, marks: Marks) -> bool:
    """Returns whether a cell is a number or a date in digits."""
    if not cell:
        return False
    text = cell.strip()
    return is_number(text, marks) or text.isdigit() or DATE.fullmatch(text) is not None


def _typed_columns(body: Sequence[Row], marks: Marks) -> list[int]:
    width = len(body[-1]) if body else 0
    return [at for at in range(width) if _is_typed_column(body, at, marks)]


def _is_typed_column(body: Sequence[Row], at: int, marks: Marks) -> bool:
    cells = [cell for row in body if (cell := _cell(row, at)) and cell not in NULLS]
    return bool(cells) and sum(is_typed(cell, marks) for cell in cells) >= 0.9 * len(cells)


def are_names(cells: Sequence[str | None], marks: Marks = PLAIN) -> bool:
    """Returns whether the cells of a row can be names: at least two, different, and no values."""
    texts = [(cell or "").strip() for cell in cells]
    return (
        1 < len(texts) == len({*texts})
        and all(texts)
        and not any(is_typed(text, marks) for text in texts)
    )


def names_of(headers: Sequence[Row], width: int) -> tuple[list[str], str | None]:
    """Returns a name for each column, and why they cannot be those of the file, if so."""
    joined = [
        " ".join(part for row in headers if (part := _cell(row, at).strip())) for at in range(width)
    ]
    if len(headers) == 1:
        joined = [_cell(headers[0], at) for at in range(width)]
    reasons = {
        "there is no header": not headers,
        "a name is empty": not all(joined),
        "a name stands twice": len(set(joined)) < len(joined),
        "a name is longer than 63 bytes": any(len(name.encode()) > 63 for name in joined),
        "a name begins with _load": any(name.startswith("_load") for name in joined),
    }
    why = next((reason for reason, applies in reasons.items() if applies), None)
    return (joined, None) if why is None else (_made(joined), why)


def _made(names: Sequence[str]) -> list[str]:
    """Makes names that a table can have, and each once."""
    made: list[str] = []
    for place, name in enumerate(names, 1):
        base = re.sub(r"\W+", "_", name.lower()).strip("_") or f"column_{place}"
        base = base.encode()[:50].decode("utf-8", "ignore")
        base = f"c_{base}" if base[0].isdigit() or base.startswith("_load") else base
        taken = base if base not in made else f"{base}_{place}"
        made.append(taken)
    return made
