"""Which objects are never taken for data: folders, and what programs write beside their data.

Spark, Hadoop, Delta and Hive leave `_SUCCESS`, `_committed_1`, `_metadata`, `_delta_log/0.json`,
`.part-0.crc` and the like beside data. Their own readers pass over each name that begins with `_`
or `.`, unless it is a partition such as `_day=1`.
"""

from __future__ import annotations

from collections.abc import Callable

HIDING = ("_", ".")
# The checksums of Hadoop, a copy under way of Hadoop, and the folders of Hadoop on S3.
ENDINGS = (".crc", "._COPYING_", "_$folder$")


def is_hidden(key: str, pattern: str, matches: Callable[[str, str], bool]) -> bool:
    """Returns whether the key is no data, unless the pattern names it.

    A part of the pattern between two slashes names a part of the key that begins with `_` or `.`
    when it begins so too, and matches it. It names an ending when it has it. A folder is no data,
    whatever the pattern says. `matches` takes a pattern and a text.
    """
    *folders, name = key.split("/")
    if not name:
        return True
    if any(name.endswith(ending) and not pattern.endswith(ending) for ending in ENDINGS):
        return True
    hiding = [each for each in pattern.split("/") if each.startswith(HIDING)]
    return any(
        _hides(part) and not any(each[0] == part[0] and matches(each, part) for each in hiding)
        for part in [*folders, name]
    )


def _hides(part: str) -> bool:
    return part.startswith(".") or (part.startswith("_") and "=" not in part)
