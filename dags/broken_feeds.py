"""Shows every feed that cannot be read among Airflow's import errors, above the list of DAGs.

Airflow marks all DAGs of a file with an import error as gone. So the error may not be raised in
dags/feeds.py, which makes the feeds' DAGs; this file makes no DAG, so it has none to lose.
"""

from __future__ import annotations

from pathlib import Path

from include.landfall.errors import FeedError
from include.landfall.feed.yaml_file import read_folder

FEEDS = Path(__file__).parents[1] / "include" / "feeds"

_broken = read_folder(FEEDS).broken


class BrokenFeeds(FeedError):
    """The errors of all feeds that cannot be read."""

    is_one_line = False


if _broken:
    raise BrokenFeeds("\n\n".join(str(error) for error in _broken.values()))
