"""Which type a column's texts have: the narrowest that all of them are, and text where in doubt."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from include.landfall.read.casts.types import TIME, UUID
from include.landfall.sniff.findings import Finding
from include.landfall.sniff.spelling import DATE, PLAIN, Marks, is_number

INTEGER_DIGITS, BIGINT_DIGITS = 9, 18  # that fit whatever the digits are
NUMERIC_DIGITS = 18
# Words that Postgres reads as boolean, and pairs that it does not.
POSTGRES_WORDS = {"true", "false", "t", "f", "yes", "no", "y", "n", "on", "off"}
WORDS = (("ja", "nein"), ("j", "n"), ("oui", "non"), ("si", "no"), ("s\u00ed", "no"),
         ("sim", "n\u00e3o"), ("wahr", "falsch"), ("vrai", "faux"))  # fmt: skip
GROUPED = r"[-+]?[1-9]\d{0,2}\.\d{3}"  # a point that may stand between thousands
HALF_DAY = re.compile(r"(0?[1-9]|1[0-2]):[0-5]\d(:[0-5]\d)? ?[AaPp][Mm]")
SPELT_DATE = re.compile(r"\d{1,2}[- ][A-Za-z]{3,9}[- ]\d{2,4}")


def type_of(values: Sequence[str], marks: Marks) -> Finding:
    """Returns the type of a column with these values, of which none is NULL."""
    if not values:
        return Finding("text", "", ["no value in what was read: give the type that it should have"])
    for judge in (_truth, _number, _moment, _other):
        if finding := judge(values, marks):
            return finding
    longest = max(map(len, values))
    return Finding("text", f"up to {longest} character{'' if longest == 1 else 's'}")


def truth_words(values: Sequence[str]) -> tuple[str, str] | None:
    """Returns the words for true and false of a column, where Postgres does not know both."""
    words = {value.strip().lower() for value in values}
    for pair in WORDS:
        if words == set(pair):
            return pair
    return None


def _truth(values: Sequence[str], marks: Marks) -> Finding | None:
    words = {value.strip().lower() for value in values}
    if (len(words) == 2 and words <= POSTGRES_WORDS) or truth_words(values):
        return Finding("boolean", f"{' and '.join(sorted(words))} alone")
    if words <= {"true", "false"}:
        return Finding("boolean", f"{words.pop()} alone")
    return None


def _number(values: Sequence[str], marks: Marks) -> Finding | None:
    digits_alone = all(re.fullmatch(r"\d+", value.strip()) for value in values)
    if digits_alone and any(re.match(r"0\d", value.strip()) for value in values):
        return Finding("text", "digits with leading zeros, which a number would lose")
    if all(re.fullmatch(r"\+\d{7,}", value.strip()) for value in values):
        return Finding("text", "digits behind a plus, as of telephones, which a number would lose")
    if not all(is_number(value, marks) for value in values):
        return None
    plain = [value.strip().replace(marks.thousands, "") if marks.thousands else value.strip()
             for value in values]  # fmt: skip
    if any(re.search("[eE]", value) for value in plain):
        code = next((value for value in plain if re.fullmatch(r"\d+[eE]\d+", value)), None)
        is_code = code and not any(marks.decimal in value for value in plain)
        doubts = [f"codes such as {code} may be meant: then it is text"] if is_code else []
        return Finding("double precision", "numbers with exponents", doubts)
    whole = max(len(re.sub(r"\D", "", value.split(marks.decimal)[0])) for value in plain)
    scale = max(len(value.partition(marks.decimal)[2]) for value in plain)
    if not scale and not any(marks.decimal in value for value in plain):
        return _integer(whole)
    finding = _decimal(whole, max(scale, 1))
    grouped = [value for value in plain if "." in value]
    if marks == PLAIN and all(re.fullmatch(GROUPED, value) for value in grouped):
        example = f"numbers such as {grouped[0]}"
        finding.doubts.append(f"{example} may have a decimal mark or thousands: look at them")
    return finding


def _integer(digits: int) -> Finding:
    evidence = f"whole numbers of up to {_digits(digits)}"
    if digits <= INTEGER_DIGITS:
        return Finding("integer" if digits < INTEGER_DIGITS else "bigint", evidence)
    if digits <= BIGINT_DIGITS:
        return Finding("bigint", evidence)
    return Finding("text", evidence, ["longer than a bigint: numeric would do for counting"])


def _digits(number: int) -> str:
    return "1 digit" if number == 1 else f"{number} digits"


def _decimal(whole: int, scale: int) -> Finding:
    precision = max(NUMERIC_DIGITS, whole + scale + 2)
    if precision > 38:
        return Finding("numeric", f"{whole} digits before and {scale} behind the mark")
    doubt = "a number with more digits behind the mark would be rounded"
    evidence = f"up to {_digits(scale)} behind the mark"
    return Finding(f"numeric({precision},{scale})", evidence, [doubt])


def _moment(values: Sequence[str], marks: Marks) -> Finding | None:
    texts = [value.strip() for value in values]
    matches = [DATE.fullmatch(text) for text in texts]
    if all(matches):
        zones = [bool(match and match[5]) for match in matches]
        if any(zones):
            doubts = [] if all(zones) else ["some cells have no zone: these are UTC"]
            return Finding("timestamptz", "dates with a time and a zone", doubts)
        if any(":" in text for text in texts):
            return Finding("timestamp", "dates with a time")
        return Finding("date", f"dates such as {texts[0]}")
    if all(SPELT_DATE.fullmatch(text) for text in texts):
        return Finding("date", f"dates such as {texts[0]}")
    if all(re.match(TIME, text) or HALF_DAY.fullmatch(text) for text in texts):
        return Finding("time", "times of day")
    return None


def _other(values: Sequence[str], marks: Marks) -> Finding | None:
    if all(re.match(UUID, value) for value in values):
        return Finding("uuid", "36 characters each")
    if all(value[:1] in "{[" and _is_json(value) for value in values):
        return Finding("jsonb", "objects or arrays of JSON")
    return None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
