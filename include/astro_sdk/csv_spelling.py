"""How a column is written into CSV: as pandas wrote it for the Astro SDK.

Booleans are `True`, a moment in a zone ends in `+00:00`, a list is `[1, 2]`, a float has a point.
All other types are written as Postgres does, which loses nothing: decimals are exact, and integers
stay integers where some are missing.
"""

from __future__ import annotations

MOMENT = "timestamp with time zone"
FLOATS = ("double precision", "real")
TEMPLATES = {
    "boolean": "CASE WHEN {0} THEN 'True' WHEN NOT {0} THEN 'False' END",
    # The session's time zone is UTC.
    MOMENT: "CASE WHEN isfinite({0}) AND {0} >= '0001-01-01'"  # to_char has no sign for BC
    " THEN to_char({0}, CASE WHEN {0} = date_trunc('second', {0})"
    " THEN 'YYYY-MM-DD HH24:MI:SS' ELSE 'YYYY-MM-DD HH24:MI:SS.US' END) || '+00:00'"
    " ELSE {0}::text END",
    **dict.fromkeys(
        FLOATS,
        "CASE {0}::text WHEN 'NaN' THEN NULL WHEN 'Infinity' THEN 'inf'"
        " WHEN '-Infinity' THEN '-inf' ELSE regexp_replace({0}::text, '^(-?[0-9]+)$', '\\1.0') END",
    ),
}
# As Python shows a text in a list.
QUOTED = (
    "CASE WHEN strpos({0}, '''') > 0 AND strpos({0}, '\"') = 0 THEN '\"' || {0} || '\"'"
    " ELSE '''' || replace(replace({0}, '\\', '\\\\'), '''', '\\''') || '''' END"
)
LIST = (
    "CASE WHEN array_ndims({0}) > 1 THEN {0}::text WHEN {0} IS NOT NULL THEN '[' || coalesce(("
    "SELECT string_agg(coalesce({1}, 'None'), ', ' ORDER BY place)"
    " FROM unnest({0}) WITH ORDINALITY AS of_list (element, place)), '') || ']' END"
)
NUMBERS = ("smallint", "integer", "bigint", "numeric")


def as_pandas(column: str, type_name: str) -> str:
    """Returns the SQL of a column's text in CSV; `column` is its name in quotes."""
    if type_name.endswith("[]"):
        element = _element(type_name.removesuffix("[]"))
        return f"{LIST.replace('{1}', element).replace('{0}', column)} AS {column}"
    if type_name in TEMPLATES:
        return f"{TEMPLATES[type_name].replace('{0}', column)} AS {column}"
    return column


def _element(type_name: str) -> str:
    if type_name.partition("(")[0] in NUMBERS:
        return "element::text"
    return TEMPLATES.get(type_name, QUOTED).replace("{0}", "element" + _cast(type_name))


def _cast(type_name: str) -> str:
    return "" if type_name in TEMPLATES else "::text"
