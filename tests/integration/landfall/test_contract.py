"""Files that depart from their feed: what a load does with each, and what it tells of it."""

from __future__ import annotations
