"""The pages of feeds' DAGs in the UI, written from the feeds, so they are never out of date."""

from __future__ import annotations

from include.airflow_bridge.commands import rejects_command
from include.landfall.errors import FeedError
from include.landfall.feed.model import Feed
from include.landfall.feed.rules import Check
from include.landfall.feed.source import Source


def feed_page(feed: Feed) -> str:
    """Writes the page of a feed's DAG in Markdown: source, target, columns, checks, what to do."""
    source, target = feed.source, feed.target
    checks = "\n".join(f"- `{name}`: {_check(check)}" for name, check in feed.checks.items())
    return f"""\
### {feed.description or feed.name}

Loads every new file of `s3://{source.bucket}/{source.pattern}` (connection `{source.connection}`)
into `{target.table}` (connection `{target.connection}`, {target.disposition}), each exactly once.
What was loaded is in `landfall.ledger`; each row's `_load_id` says which file it came from.

**When a run is skipped**, there was nothing new.
**When a load is red**, its log says which line and column and what to do, and nothing of that file
is in the table. Fix the file and put it in the same place: the next run loads it. As it is, it is
tried again after five minutes, ten, twenty, and so on; a run that you start by hand tries it at
once. Files that were loaded stay loaded, and the DAGs that depend on the table are started.
**When a load warns of rejects**, some of its rows were refused (at most
{feed.rejects.budget} may be), and the others are in the table. This command shows which, and why:
`{rejects_command(feed.name)}`
**When a check is red**, the rows are in the table, and no DAG that depends on it is started. The
log has the query that shows them. The next run checks again, also when there is nothing new.
{_late(source)}

| column | type | | |
|---|---|---|---|
{_columns(feed)}

Checks after each load:
{checks or "- none"}
"""


def _late(source: Source) -> str:
    if source.late_after is None:
        return "**When no file comes**, nobody is told: the feed has no `source.late_after`."
    return f"**When no new file comes for {source.silence}**, the DAG `late_files` is red once."


def broken_feed_page(file: str, error: FeedError) -> str:
    """Writes the page of a feed whose file cannot be read: the error, and what to do."""
    return f"""\
### `{file}` cannot be read, so nothing of this feed is loaded

```
{error}
```

Fix the file, and the feed's own DAG takes the place of this one. No other feed is affected. The
same error is among the import errors at the top of the list of DAGs.
"""


def _columns(feed: Feed) -> str:
    return "\n".join(
        f"| {name} | {column.type} | {'' if column.nullable else 'never NULL'} |"
        f" {_cell(column.description)} |"
        for name, column in feed.table_columns.items()
    )


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _check(check: Check) -> str:
    rules = check.model_dump(exclude_none=True)
    return ", ".join(
        name.replace("_", " ") + ("" if value is True else f" {value}")
        for name, value in rules.items()
    )
