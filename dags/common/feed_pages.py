"""What the UI says of a feed's DAG: written from the feed, so it cannot go stale."""

from __future__ import annotations

from pathlib import Path

from include.landfall.errors import FeedError
from include.landfall.feed.model import Feed
from include.landfall.feed.rules import Check


def feed_doc(feed: Feed) -> str:
    """The page of a feed's DAG, in Markdown: where from, where to, columns, checks, what to do."""
    source, target = feed.source, feed.target
    columns = "\n".join(
        f"| {name} | {column.type} | {'' if column.nullable else 'never NULL'} |"
        f" {_cell(column.description)} |"
        for name, column in feed.columns.items()
    )
    checks = "\n".join(f"- `{name}`: {_check(check)}" for name, check in feed.checks.items())
    return f"""\
### {feed.description or feed.name}

Loads every new file of `s3://{source.bucket}/{source.pattern}` (connection `{source.connection}`)
into `{target.table}` (connection `{target.connection}`, {target.disposition}), each exactly once.
What was loaded is in `landfall.ledger`; each row's `_load_id` says which file it came from.

**When a run is skipped**, there was nothing new.
**When a load is red**, its log says which line and column and what to do, and nothing of that file
is in the table. Mend the file and put it in its place: the next run takes it. Files that loaded
stay loaded, and what depends on the table is told of them.
**When a check is red**, the rows are in the table and nobody downstream has been told.

| column | type | | |
|---|---|---|---|
{columns}

Checks after each load:
{checks or "- none"}
"""


def broken_feed_doc(path: Path, error: FeedError) -> str:
    """The page of a feed whose file cannot be read: the error, and what is not happening."""
    return f"""\
### `{path.name}` cannot be read, so nothing of this feed is loaded

```
{error}
```

Mend the file; this DAG becomes the feed's own again by itself. No other feed is affected. The same
error is among the import errors at the top of the list of DAGs.
"""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _check(check: Check) -> str:
    words = check.model_dump(exclude_none=True)
    return ", ".join(
        name.replace("_", " ") + ("" if value is True else f" {value}")
        for name, value in words.items()
    )
