"""The JSON of values that hold others: structs, lists and maps, from which Postgres reads jsonb."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from itertools import pairwise

import pyarrow as pa

UUID, JSON = "arrow.uuid", "arrow.json"


def holds_others(own: pa.DataType) -> bool:
    """Returns whether values of the type are objects in JSON: structs and maps."""
    return bool(pa.types.is_struct(own) or pa.types.is_map(own))


def json_texts(values: pa.Array, text_of: Callable[[pa.Array], pa.Array]) -> list[str]:
    """Returns the JSON of each value, `null` for NULL. `text_of` gives the texts of plain values.

    Bytes that are no UTF-8 become lone surrogates (surrogateescape).
    """
    own = values.type
    if pa.types.is_dictionary(own):
        return json_texts(values.dictionary_decode(), text_of)
    if pa.types.is_map(own):
        texts = _objects_of_map(values, text_of)
    elif pa.types.is_struct(own):
        texts = _objects(values, text_of)
    elif pa.types.is_nested(own):
        texts = _arrays(values, text_of)
    else:
        return _plain(values, text_of)
    return [
        text if valid else "null"
        for text, valid in zip(texts, values.is_valid().to_pylist(), strict=True)
    ]


def _objects(values: pa.Array, text_of: Callable[[pa.Array], pa.Array]) -> list[str]:
    keys = [_quoted(field.name) for field in values.type]
    columns = [json_texts(column, text_of) for column in values.flatten()]
    if not columns:
        return ["{}"] * len(values)
    return [_object(keys, row) for row in zip(*columns, strict=True)]


def _objects_of_map(values: pa.Array, text_of: Callable[[pa.Array], pa.Array]) -> list[str]:
    start, offsets = _offsets(values)
    size = offsets[-1] if offsets else 0
    keys = _keys(values.keys.slice(start, size), text_of)
    items = json_texts(values.items.slice(start, size), text_of)
    return [_object(keys[a:b], items[a:b]) for a, b in pairwise(offsets)]


def _keys(keys: pa.Array, text_of: Callable[[pa.Array], pa.Array]) -> list[str]:
    return [key if key[:1] == '"' else _quoted(key) for key in json_texts(keys, text_of)]


def _arrays(values: pa.Array, text_of: Callable[[pa.Array], pa.Array]) -> list[str]:
    lists = values.cast(pa.list_(values.type.value_type))
    start, offsets = _offsets(lists)
    items = json_texts(lists.values.slice(start, offsets[-1] if offsets else 0), text_of)
    return ["[" + ", ".join(items[a:b]) + "]" for a, b in pairwise(offsets)]


def _offsets(values: pa.Array) -> tuple[int, list[int]]:
    """Returns where the first value's items begin, and all beginnings and the end from there on."""
    offsets = values.offsets.to_pylist()
    start = offsets[0] if offsets else 0
    return start, [offset - start for offset in offsets]


def _plain(values: pa.Array, text_of: Callable[[pa.Array], pa.Array]) -> list[str]:
    own = values.type
    if isinstance(own, pa.BaseExtensionType):
        return _extension(values, text_of)
    texts = [
        None if text is None else text.decode("utf-8", "surrogateescape")
        for text in text_of(values).cast(pa.binary()).to_pylist()
    ]
    is_bare = pa.types.is_integer(own) or pa.types.is_boolean(own) or pa.types.is_decimal(own)
    if is_bare:
        return [text or "null" for text in texts]
    if pa.types.is_floating(own):
        return [_number(text) for text in texts]
    return ["null" if text is None else _quoted(text) for text in texts]


def _extension(values: pa.Array, text_of: Callable[[pa.Array], pa.Array]) -> list[str]:
    stored, name = values.storage, values.type.extension_name
    if name == UUID:
        ids = (None if value is None else uuid.UUID(bytes=value) for value in stored.to_pylist())
        return ["null" if value is None else _quoted(str(value)) for value in ids]
    if name == JSON:
        return [text or "null" for text in text_of(stored).to_pylist()]
    return json_texts(stored, text_of)


def _number(text: str | None) -> str:
    """Returns a float as JSON has it: what JSON has no number for is a text."""
    if text is None:
        return "null"
    return text if text.lstrip("-")[:1].isdigit() else _quoted(text)


def _object(keys: list[str], values: tuple[str, ...] | list[str]) -> str:
    return "{" + ", ".join(map(": ".join, zip(keys, values, strict=True))) + "}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
