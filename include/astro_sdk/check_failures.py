"""What a red check says: which rule, what was found, and the query that shows the rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# Keys that a feed gives to a check beside what the operator takes: the rule in the feed's words,
# the SQL of the value that it is about, what that should be, and the rows that break the rule.
RULE, VALUE, EXPECTED, AT_FAULT = "rule", "value", "expected", "at_fault"
ANSWERS = ("result", "success")  # keys that the operator adds
COLUMN_FAULTS = {
    "null_check": "{column} IS NULL",
    "unique_check": (
        "{column} IN (SELECT {column} FROM {table} GROUP BY {column} HAVING count(*) > 1)"
    ),
}


@dataclass(frozen=True)
class CheckFailure:
    """A check that did not hold; `condition` is that of the rows that break it."""

    rule: str
    value: object
    expected: str
    condition: str | None = None

    def lines(self, table: str) -> Iterable[str]:
        """Writes the failure as the engine writes its errors."""
        yield f"  check: {self.rule}"
        yield f"  found: {self.value}"
        yield f"  expected: {self.expected}"
        if self.condition:
            yield f"  to see the rows: SELECT * FROM {table} WHERE {self.condition}"  # noqa: S608  to read


def failure_text(table: str, failures: list[CheckFailure]) -> str:
    """Writes the message of a task whose checks have failed; what to do is its last line."""
    checks = "a check has" if len(failures) == 1 else f"{len(failures)} checks have"
    lines = [line for failure in failures for line in failure.lines(table)]
    do = "  what to do: correct the rows or the check; the next run checks again"
    return "\n".join([f"{checks} failed: {table}", *lines, do])


def table_failures(
    checks: Mapping[str, Mapping[str, Any]], values: Mapping[str, object]
) -> list[CheckFailure]:
    """Returns the failed ones of `check_table`; `values` are those of the checks with a `value`."""
    return [
        CheckFailure(
            check.get(RULE, name),
            values.get(name, "false"),
            check.get(EXPECTED, check["check_statement"]),
            check.get(AT_FAULT),
        )
        for name, check in checks.items()
        if not check.get("success")
    ]


def column_failure(
    column: str, check: str, values: Mapping[str, Any], in_sql: str, table: str | None
) -> CheckFailure:
    """Returns a failed one of `check_column`; no table: it was about some of the rows only."""
    rules = {name: value for name, value in values.items() if name not in ANSWERS}
    fault = None if "partition_clause" in rules or not table else COLUMN_FAULTS.get(check)
    return CheckFailure(
        f"{column}: {check}",
        values["result"],
        ", ".join(f"{name} {value}" for name, value in rules.items()),
        fault.format(column=in_sql, table=table) if fault else None,
    )
