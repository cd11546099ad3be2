"""The .env of the Celery stack: made from .env.example on first use, with random values."""

from __future__ import annotations

import base64
import os
import re
import secrets
from pathlib import Path

ASSIGNMENT = re.compile(r"^([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)


def ensure_env(example: Path, env: Path) -> dict[str, str]:
    """Make `env`, or add what it lacks; all that it says. Only its owner may read it."""
    wanted = read_env(example)
    text = (env if env.exists() else example).read_text(encoding="utf-8")
    text = ASSIGNMENT.sub(lambda each: _given(each, wanted), text)
    missing = {name: value for name, value in wanted.items() if name not in read_env(env)}
    if env.exists() and missing:
        lines = "".join(f"{name}={value or _random(name)}\n" for name, value in missing.items())
        text = f"{text.rstrip()}\n{lines}"
    _write(env, text)
    return read_env(env)


def read_env(path: Path) -> dict[str, str]:
    """The names that the file gives a value, or nothing; empty where there is no file."""
    if not path.exists():
        return {}
    found = ASSIGNMENT.findall(path.read_text(encoding="utf-8"))
    return {name: value.strip().strip("'\"") for name, value in found}


def _given(line: re.Match[str], wanted: dict[str, str]) -> str:
    """The line, with a value where it has none and should have one."""
    name, value = line.groups()
    return line[0] if value or name not in wanted else f"{name}={wanted[name] or _random(name)}"


def _random(name: str) -> str:
    """As long as is good for any of them, of letters that a URL takes as they are."""
    if name.endswith("FERNET_KEY"):  # which has a form of its own
        return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return secrets.token_urlsafe(32)


def _write(path: Path, text: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)
