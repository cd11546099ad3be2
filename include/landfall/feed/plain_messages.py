"""What a value of a feed must be, in place of pydantic's own sentences."""

from __future__ import annotations

from typing import Any

from include.landfall.feed.model import NAME

# By pydantic's type of the error, with the names of its context:
# https://docs.pydantic.dev/latest/errors/validation_errors/
MESSAGES = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "keys and values",
    "float_parsing": "a number",
    "float_type": "a number",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "list_type": "a list",
    "literal_error": "{expected}",
    "model_type": "keys and values",
    "string_pattern_mismatch": "{pattern}",
    "string_too_long": "at most {max_length} characters",
    "string_too_short": "at least {min_length} characters",
    "string_type": "a text",
    "too_long": "at most {max_length} items",
    "too_short": "at least {min_length} items",
}
PATTERNS = {NAME: "1 to 55 of a-z, 0-9 and _, of which the first is a letter"}
UNITS = {"MiB": 1 << 20, "MB": 1_000_000}


def plain_message(error: Any, written: str | None = None) -> str:
    """Returns what was expected, from one of the errors that pydantic lists.

    `written` is the value as the file has it, where it is neither a list nor keys and values.
    """
    if error["type"] == "string_type" and written:
        return f'a text: "{written}"'
    if error["type"] == "dict_type" and isinstance(error["input"], list):
        return "keys and values, without dashes"
    if error["type"] == "list_type" and isinstance(error["input"], str | int):
        return f"a list: [{error['input']}]"
    if form := MESSAGES.get(error["type"]):
        context = {name: _plain(value) for name, value in error.get("ctx", {}).items()}
        text = form.format(**context)
        return text.removesuffix("s") if " 1 " in text else text
    return str(error["msg"]).removeprefix("Value error, ")


def _plain(value: Any) -> Any:
    """Returns a pattern in words, and a number of bytes with its size; others as they are."""
    if isinstance(value, int):
        for unit, size in UNITS.items():
            if value >= size and value % size == 0:
                return f"{value} ({value // size} {unit})"
    return PATTERNS.get(value, value) if isinstance(value, str) else value
