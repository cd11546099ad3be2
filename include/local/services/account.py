"""The account that PostgreSQL runs as when the developer is root, and what it can reach.

PostgreSQL refuses to run as root, and a container or a rented machine often has no other user.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.local.state import LocalError

# Every account can enter it, and its content survives a reboot.
SHARED = Path("/var/tmp")  # noqa: S108 - its use checks who owns the folder


@dataclass(frozen=True)
class Account:
    """The user that a server runs as."""

    uid: int
    gid: int

    def run(self, *command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
        """Runs a program as this user and catches its output, whatever its exit code."""
        as_user: dict[str, Any] = {}
        if os.geteuid() != self.uid:
            as_user = {"user": self.uid, "group": self.gid, "extra_groups": []}
        return subprocess.run(
            [str(part) for part in command],
            check=False, capture_output=True, text=True, cwd="/", **as_user, **options,
        )  # fmt: skip

    def reaches(self, path: Path) -> bool:
        """Returns whether this user can enter the folder, or execute the file."""
        return self.run("test", "-x", path).returncode == 0

    def own(self, folder: Path) -> None:
        """Makes the folder this user's, closed to all others."""
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        if os.geteuid() != self.uid:
            os.chown(folder, self.uid, self.gid)

    def write_secret(self, path: Path, secret: str) -> None:
        """Writes a file that only this user can read."""
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(secret, encoding="utf-8")
        if os.geteuid() != self.uid:
            os.chown(path, self.uid, self.gid)


def server_account(environ: Mapping[str, str] = os.environ) -> Account:
    """Returns the caller's account, or an unprivileged user's account when root calls.

    Raises: LocalError when this machine has no such user.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    for name in (environ.get("SUDO_USER", ""), "postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_uid, entry.pw_gid)
    raise LocalError(
        "PostgreSQL does not run as root, and this machine has no other user for it",
        expected="a user named postgres or nobody",
        do="run as a user other than root",
    )


def reachable_folder(folder: Path, account: Account) -> Path:
    """Returns `folder`, or a folder outside of it when the account cannot enter `folder`.

    The outside folder's name holds a hash of the path of `folder`: two checkouts never share one.

    Raises: LocalError when the outside folder belongs to another user.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if account.reaches(folder):
        return folder
    digest = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    outside = SHARED / f"landfall-{digest}"
    if outside.is_symlink() or (outside.exists() and outside.stat().st_uid != account.uid):
        raise LocalError(f"{outside} belongs to somebody else", do=f"remove {outside}")
    account.own(outside)
    return outside


def reachable_copy(tree: Path, beside: Path, into: Path, account: Account) -> Path:
    """Returns `tree`, or a copy that the account can reach.

    The copy also has the neighbour `beside`.
    """
    if account.reaches(tree):
        return tree
    for each in (tree, beside):
        copy = into / each.relative_to(tree.parents[1])
        if each.exists() and not copy.exists():
            shutil.copytree(each, copy, symlinks=True)
    copy = into / tree.relative_to(tree.parents[1])
    # The folders between are made with the caller's umask, which may close them to the account.
    if not account.reaches(copy):
        _give(into, account)
    return copy


def _give(tree: Path, account: Account) -> None:
    for path in (tree, *tree.rglob("*")):
        os.chown(path, account.uid, account.gid, follow_symlinks=False)
