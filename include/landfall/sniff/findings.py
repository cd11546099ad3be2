"""What is proposed for a feed, why, and what is in doubt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Finding:
    """A value for one key, the evidence for it, and doubts."""

    value: Any
    evidence: str = ""
    doubts: list[str] = field(default_factory=list)


@dataclass
class Proposal:
    """A feed in parts: options of the source and the format, and the columns with their types.

    `notes` are what is certain, and no key of the feed.
    """

    format_name: str
    options: dict[str, Finding] = field(default_factory=dict)
    columns: dict[str, Finding] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    source: dict[str, Finding] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def options_as_values(self) -> dict[str, Any]:
        """Returns the format as a feed has it."""
        return {"type": self.format_name, **{k: each.value for k, each in self.options.items()}}
