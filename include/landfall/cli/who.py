"""Who types a command: the name that the ledger keeps."""

from __future__ import annotations

import os
import socket


def who() -> str:
    """Returns the user and the machine, as `user@machine`."""
    user = os.environ.get("USER") or os.environ.get("LOGNAME") or f"user {os.getuid()}"
    return f"{user}@{socket.gethostname()}"
