"""The encoding of a text file, as a feed declares it."""

from __future__ import annotations

import codecs
from typing import Annotated

from pydantic import AfterValidator, Field


def _check(value: str) -> str:
    """Returns Python's own name of the encoding.

    Raises: ValueError when there is no such encoding of text.
    """
    try:
        "".encode(value)  # refuses codecs that are not of text, such as base64
        return codecs.lookup(value).name.removesuffix("-sig")
    except LookupError:
        raise ValueError("an encoding as Python names it: utf-8, latin-1, cp1252") from None


Encoding = Annotated[
    str,
    AfterValidator(_check),
    Field(description="Of the text, as Python names it: latin-1, utf-16."),
]
