"""Finds PgBouncer. It is not among the project's packages, so a machine may lack it."""

from __future__ import annotations

import os
import shutil


def find_pgbouncer() -> str | None:
    """Finds the program, which Debian puts where not every user looks."""
    return shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
