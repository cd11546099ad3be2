"""The small uses of the Astro SDK: what Airflow 2 gave, and where ours is better on purpose.

`.venv/bin/python -m tests.support.sdk_uses` writes the tables of docs/astro-sdk-uses.md.
"""

from __future__ import annotations

import json
from pathlib import Path

E2E = Path(__file__).parents[1] / "e2e"
PAGE = E2E.parents[1] / "docs" / "astro-sdk-uses.md"
USES = E2E / "dags" / "uses"
FAILS = "fails"
HEADING = "## `uses_of_"
AS_TEXT = "a text stays a text; the SDK made it a list of its letters"

# Each use that gives something else here: what it gives, and why.
BETTER = {
    "a_colon_in_a_json_text": ("'1'", "a colon that names no parameter is a colon"),
    "a_dict_as_json": ("'x'", "a dict is JSON; a cast may follow a parameter"),
    "a_handlers_error_is_not_swallowed": (
        FAILS, "the query gave rows, so the error is the handler's own; the SDK gave None",
    ),
    "a_setting_before_the_query": ("3", "all queries of a task share one connection"),
    "a_table_without_a_schema": ("'tmp_astro.anything'", AS_TEXT),
    "a_template_as_an_argument": ("True", "a cast may follow a parameter"),
    "decimals_in_a_dataframe": (
        "dataframe ['price float64', 'beds int64', 'mean float64'] [[1.5, 12, 4.0]]",
        "a dataframe crosses with its types, not as JSON",
    ),
    "params_and_macros": ("'Oslo2024-01-02'", AS_TEXT),
    "percent_and_colons_stand_for_themselves": ("'1 100%12:30:00'", AS_TEXT),
    "queries_before_and_after": ("'uses.before'", AS_TEXT),
    "rows_as_mappings": ("{'sell': 129, 'agent': 'Bo'}", "the SDK kept a dict's keys only"),
    "to_regclass_of_a_table": ("'uses.homes'", AS_TEXT),
    "a_sql_file": ("table [('best',), (175,)]", "a .sql file may have `--` comments"),
    "a_sql_file_by_the_search_path": (
        "table [('sell',), (142,), (175,)]", "parameters reach a file found by the search path",
    ),
    "export_parquet_to_s3": (
        "file out.parquet: dataframe ['sell int32', 'list int32', 'beds int32', 'acres float64',"
        " 'agent object'] [[142, 160, 5, 0.28, 'Ann'], [175, 180, 4, 0.43, None],"
        " [129, 132, 3, 0.33, 'Bo']]",
        "Parquet has the column's own type (integer), not pandas' int64",
    ),
    "a_header_without_rows": ("table [('a', 'b')]", "a declared table may have no rows yet"),
    "json_from_s3": (
        """table [('a', 'b'), (1, '{"c": "x"}'), (2, '{"c": "y"}')]""",
        "an object in JSON stays JSON; the SDK wrote it as Python does",
    ),
}  # fmt: skip


def recorded() -> dict[str, dict[str, list[str]]]:
    """Reads what Airflow 2 gave: by group and use, the task's state and its result."""
    recording = json.loads((E2E / "recordings" / "sdk_uses.json").read_text(encoding="utf-8"))
    return {group: uses for group, uses in recording.items() if group != "made"}


def expected() -> dict[str, dict[str, str]]:
    """Returns what each use must give here; FAILS where its task must fail."""
    return {
        group: {
            use: BETTER[use][0] if use in BETTER else _result(state, text)
            for use, (state, text) in uses.items()
        }
        for group, uses in recorded().items()
    }


def _result(state: str, text: str) -> str:
    return FAILS if state == "failed" else text


def page_table() -> str:
    """Returns the tables in docs/astro-sdk-uses.md: every use, and what differs."""
    return "\n".join(line for group, uses in recorded().items() for line in _section(group, uses))


def _section(group: str, uses: dict[str, list[str]]) -> list[str]:
    better = [use for use in sorted(uses) if use in BETTER]
    same = [f"`{use}`" for use in sorted(uses) if use not in BETTER]
    lines = [f"{HEADING}{group}.py`: {len(same)} the same, {len(better)} better here", ""]
    lines += ["| better here | Airflow 2 gave | here | why |", "|---|---|---|---|"]
    for use in better:
        here, why = BETTER[use]
        lines.append(f"| `{use}` | {_cell(_result(*uses[use]))} | {_cell(here)} | {why} |")
    folded = f"<details><summary>The {len(same)} uses that give the same</summary>"
    return [*lines, "", folded, "", ", ".join(same), "", "</details>", ""]


def _cell(text: str) -> str:
    short = text if len(text) <= 60 else f"{text[:57]}..."
    return "fails" if text == FAILS else f"`{short}`".replace("|", "\\|")


if __name__ == "__main__":
    before, _, _ = PAGE.read_text(encoding="utf-8").partition(HEADING)
    PAGE.write_text(before + page_table(), encoding="utf-8")
