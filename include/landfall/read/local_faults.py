"""Faults of this machine, which must not be taken for faults of the file that is read."""

from __future__ import annotations

import errno
import os
import tempfile

from include.landfall.errors import ServerUnavailable

NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def local_fault(error: BaseException) -> ServerUnavailable | None:
    """Returns the error for a fault of this machine, or None where the file is at fault.

    Only the system sets an error number. What libraries raise on a broken file has none.
    """
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error, MemoryError) or number == errno.ENOMEM:
        return ServerUnavailable(
            "the machine has not enough memory for the load",
            found=str(error) or type(error).__name__,
            do="give the machine or container more memory, then retry",
        )
    if number is None:
        return None
    folder = tempfile.tempdir or os.environ.get("TMPDIR", "/tmp")  # noqa: S108  only to name it
    advice = "free disk space" if number in NO_SPACE else "look for what is wrong"
    return ServerUnavailable(
        "the load cannot write or read its temporary files",
        found=str(error),
        do=f"{advice} in the folder {folder} of the machine that loads, then retry",
    )
