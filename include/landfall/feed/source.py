"""Where a feed's files are, and which of them are the feed's."""

from __future__ import annotations

import fnmatch
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Literal, get_args

from pydantic import Field, field_validator, model_validator

from include.landfall.feed.duration import Duration, duration_of
from include.landfall.feed.hidden import is_hidden
from include.landfall.feed.loaded_files import LoadedFiles
from include.landfall.feed.strict import Strict, combination_error

LONGEST_SETTLE = 31 * 86_400
Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAYS: tuple[Day, ...] = get_args(Day)  # as datetime.weekday() counts them


class Source(Strict):
    """Where the files are."""

    connection: str = Field("landing", description="Name of the S3 connection.")
    bucket: str = Field(min_length=3, description="Name of the bucket.")
    pattern: str = Field(
        min_length=1,
        description="Which keys are the feed's: * and ? stop at /, ** does not, [abc] is a set.",
    )
    settle_seconds: float = Field(
        0,
        ge=0,
        le=LONGEST_SETTLE,  # a sensor waits for it, and infinity would be for ever
        description="How long an object must be unchanged before it is taken as whole.",
    )

    empty_objects: Literal["load", "refuse"] | None = Field(
        None,
        description="What an object of 0 bytes is: load (a file without rows) or refuse. "
        "By default it is refused where it would empty the table.",
    )

    member: str | None = Field(
        None,
        min_length=1,
        description="Which members of a zip file are the data, where it has several: *.csv.",
    )

    duplicates: Literal["load", "refuse"] = Field(
        "load",
        description="A file whose content this feed has loaded under another name: load (with a "
        "warning) or refuse.",
    )

    snapshot: Literal["dir"] | None = Field(
        None,
        description="dir: all parts of one folder are loaded as one file, once the folder has "
        "_SUCCESS or a manifest.",
    )

    loaded_files: LoadedFiles | None = Field(
        None,
        description="What becomes of objects whose files are loaded: they are moved or deleted. "
        "By default they stay.",
    )

    late_after: Duration | None = Field(
        None,
        description="How long no new file may come before the people on call hear of it: 26 hours,"
        " 3 days. By default nobody hears.",
    )

    quiet_days: list[Day] = Field(
        default_factory=list,
        description="Days on which no file is expected, such as saturday and sunday: their hours"
        " (UTC) do not count for late_after.",
    )

    @field_validator("quiet_days")
    @classmethod
    def _leaves_a_day(cls, value: list[Day]) -> list[Day]:
        if len(set(value)) < len(value):
            raise ValueError("names of days, each once")
        if len(value) == len(DAYS):
            raise ValueError("at most six: a day on which files come must remain")
        return value

    @field_validator("bucket")
    @classmethod
    def _is_a_name(cls, value: str) -> str:
        if value.startswith("s3://"):
            raise ValueError("the bucket's name alone, without s3://")
        return value

    @field_validator("pattern")
    @classmethod
    def _can_match(cls, value: str) -> str:
        if value.startswith("s3://"):
            raise ValueError("the key alone: the bucket has its own field")
        if value.startswith("/"):
            raise ValueError("a key, which does not begin with /")
        if value.endswith("/"):
            raise ValueError(f"the keys of files, such as {value}*: one that ends with / is none")
        if re.search(r"\{[^}]*,[^}]*\}", value):
            raise ValueError("* ? ** and [abc]; there is no {a,b}: write one feed for each")
        if re.search(r"\\[.dw]|\.\*.*\$$", value):
            raise ValueError("* ? ** and [abc]; it is no regular expression")
        return value

    @property
    def longest_silence(self) -> timedelta | None:
        """How long no new file may come, where the feed says so."""
        return None if self.late_after is None else duration_of(self.late_after)

    @property
    def silence(self) -> str:
        """How long no new file may come, in words."""
        quiet = " and ".join(f"{day}s" for day in self.quiet_days)
        return f"{self.late_after}, {quiet} apart" if quiet else f"{self.late_after}"

    def in_time_until(self, since: datetime) -> datetime:
        """Returns until when a feed with `late_after` is in time, of which a file came at `since`.

        Both have a zone. Days are those of UTC.
        """
        assert self.longest_silence is not None
        remaining, begin = self.longest_silence, since.astimezone(UTC)
        while True:
            end = (begin + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
            if DAYS[begin.weekday()] not in self.quiet_days:
                if remaining <= end - begin:
                    return begin + remaining
                remaining -= end - begin
            begin = end

    @property
    def prefix(self) -> str:
        """The part of the pattern before its first wildcard. Nothing else is ever listed.

        Of a snapshot it ends with a folder, so that what stands beside the parts is listed too.
        """
        literal = re.split(r"[*?\[]", self.pattern, maxsplit=1)[0]
        return literal[: literal.rfind("/") + 1] if self.snapshot else literal

    @model_validator(mode="after")
    def _counts_days(self) -> Source:
        if self.quiet_days and not self.late_after:
            expected = "late_after, for which the hours of other days count"
            raise combination_error(expected, "quiet_days alone", "quiet_days")
        return self

    @model_validator(mode="after")
    def _names_folders(self) -> Source:
        if self.snapshot and "/" not in self.pattern:
            raise combination_error("a folder, because of snapshot", self.pattern, "pattern")
        return self

    @model_validator(mode="after")
    def _leaves_what_is_moved(self) -> Source:
        rule = self.loaded_files
        if rule and self.snapshot:
            expected = "nothing: with source.snapshot the parts of a folder stay where they are"
            raise combination_error(expected, "loaded_files", "loaded_files")
        if rule and rule.move_to and self.takes(rule.move_to + self._some_key):
            expected = "a prefix that source.pattern leaves out, such as _loaded/: what it takes"
            expected += " is loaded again"
            raise combination_error(expected, rule.move_to, "loaded_files", "move_to")
        return self

    @property
    def _some_key(self) -> str:
        """A key that the pattern matches."""
        return re.sub(r"\*\*|\*|\?|\[!.*?\]|\[(.).*?\]", lambda part: part[1] or "x", self.pattern)

    def takes(self, key: str) -> bool:
        """Returns whether an object of this key is loaded: it matches, and is no marker."""
        return self.matches(key) and not self.is_hidden(key)

    def matches(self, key: str) -> bool:
        """Returns whether the key is one of the feed's."""
        return _matches(self.pattern, key)

    def names_folder(self, folder: str) -> bool:
        """Returns whether objects of the folder, whose key ends with /, can be the feed's."""
        folders, _, name = self.pattern.rpartition("/")
        pattern = f"{folders}/**" if "**" in name else folders
        return _matches(pattern, folder.removesuffix("/")) and not self.is_hidden(f"{folder}x")

    def is_hidden(self, key: str) -> bool:
        """Returns whether the key is a folder's, or of what programs write beside data."""
        return is_hidden(key, self.pattern, _matches)


def _matches(pattern: str, text: str) -> bool:
    return _regex(pattern).fullmatch(text) is not None


@cache
def _regex(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*|\*|\?|\[[^\]]+\])", pattern)
    wildcards = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    # A key may have line breaks.
    return re.compile("".join(wildcards.get(p) or _literal_or_set(p) for p in parts), re.DOTALL)


def _literal_or_set(part: str) -> str:
    return fnmatch.translate(part)[4:-3] if part.startswith("[") else re.escape(part)
