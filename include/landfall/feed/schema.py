"""A feed: a declared stream of like files under an S3 prefix, bound for one target table.

The only module that knows the file format of feeds and the wording of its errors.
"""

from __future__ import annotations

from typing import Any

from include.landfall.feed.model import Feed


def schema() -> dict[str, Any]:
    """The JSON schema of a feed's file, for editors. Short forms are in it."""
    made = Feed.model_json_schema()
    column = made["$defs"]["Column"]
    column["anyOf"] = [{"type": "string"}, {"type": column.pop("type")}]
    made["properties"]["format"]["anyOf"] = [
        {"enum": ["csv", "parquet"]},
        {"oneOf": made["properties"]["format"].pop("oneOf")},
    ]
    made["properties"]["format"].pop("discriminator", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}
