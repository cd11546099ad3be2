"""The .env of the Celery stack: made from .env.example on first use, with random values."""

from __future__ import annotations

import base64
import re
import secrets
from pathlib import Path

from include.local.state import write_private

ASSIGNMENT = re.compile(r"^([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)


def ensure_env(example: Path, env: Path) -> dict[str, str]:
    """Makes `env`, or adds what it lacks; returns its names and values.

    Only its owner can read it.
    """
    defaults = read_env(example)
    text = (env if env.exists() else example).read_text(encoding="utf-8")
    text = ASSIGNMENT.sub(lambda each: _with_value(each, defaults), text)
    missing = {name: value for name, value in defaults.items() if name not in read_env(env)}
    if env.exists() and missing:
        lines = "".join(f"{name}={value or _random(name)}\n" for name, value in missing.items())
        text = f"{text.rstrip()}\n{lines}"
    if not env.exists() or env.read_text(encoding="utf-8") != text:
        write_private(env, text)
    return read_env(env)


def read_env(path: Path) -> dict[str, str]:
    """Returns the file's names and values, or nothing when there is no file.

    A value may be empty.
    """
    if not path.exists():
        return {}
    assignments = ASSIGNMENT.findall(path.read_text(encoding="utf-8"))
    return {name: value.strip().strip("'\"") for name, value in assignments}


def _with_value(line: re.Match[str], defaults: dict[str, str]) -> str:
    """The line; where its name of the example has no value, with the default or a random one."""
    name, value = line.groups()
    if value or name not in defaults:
        return line[0]
    return f"{name}={defaults[name] or _random(name)}"


def _random(name: str) -> str:
    """A secret that is long enough for any use, of characters that a URL need not quote."""
    if name.endswith("FERNET_KEY"):  # must be 32 bytes in base64
        return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return secrets.token_urlsafe(32)
