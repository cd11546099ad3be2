"""The JSON schema of a feed's file, for editors."""

from __future__ import annotations

from typing import Any

from include.landfall.feed.dispositions import DISPOSITIONS, STRATEGIES
from include.landfall.feed.formats import FORMATS
from include.landfall.feed.model import Feed


def schema() -> dict[str, Any]:
    """Returns the JSON schema of a feed's file, its short forms included."""
    described = Feed.model_json_schema()
    parts = described["$defs"]
    column = parts["Column"]
    ignored = {"required": ["ignore"], "properties": {"ignore": {"const": True}}}
    column["anyOf"] = [
        {"type": "string"},
        {"type": column.pop("type"), "required": column.pop("required")},
        {"type": "object", **ignored},
    ]
    for field in (
        parts["Contract"]["properties"]["missing_columns"],
        column["properties"]["on_bad_cell"],
    ):
        field.update(type=["string", "null"], enum=[*field["enum"], None])  # null without quotes
    parts["Target"]["properties"]["disposition"]["enum"] = list(DISPOSITIONS)
    parts["Target"]["properties"]["strategy"]["enum"] = [*STRATEGIES, None]
    classes = FORMATS.values()
    parts |= {each.__name__: each.model_json_schema() for each in classes}
    described["properties"]["format"]["anyOf"] = [
        {"enum": list(FORMATS)},
        {"oneOf": [{"$ref": f"#/$defs/{each.__name__}"} for each in classes]},
    ]
    described["$defs"] = dict(sorted(parts.items()))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **described}
