"""What all connections do with their options: read them strictly, and refuse the others by name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from include.landfall.errors import ConnectionUnusable


def filled(extra: Mapping[str, Any] | None) -> dict[str, Any]:
    """Returns the extras that have a value. Airflow's form leaves empty texts behind."""
    return {k: v for k, v in (extra or {}).items() if v is not None and v != ""}


def refuse_others(where: str, names: Iterable[str], options: Iterable[str]) -> None:
    """Refuses the first name that is no option, and names the nearest one.

    `where` is how the message begins, such as "the AWS connection has an extra".

    Raises: ConnectionUnusable.
    """
    options = sorted(options)
    for name in names:
        if name not in options:
            near = difflib.get_close_matches(name, options, n=1)
            raise ConnectionUnusable(
                f"{where} that Landfall does not know: {name!r}",
                expected=" ".join(options) if len(options) < 10 else None,
                do=f"did you mean {near[0]!r}?" if near else "take it out of the connection",
            )


def refuse_named(where: str, names: Iterable[str], reasons: Mapping[str, str]) -> None:
    """Refuses the first name that has a reason; the reason says what to write instead.

    Raises: ConnectionUnusable.
    """
    for name in names:
        if name in reasons:
            raise ConnectionUnusable(
                f"{where} that Landfall cannot follow: {name!r}", do=reasons[name]
            )


def mapping(extra: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Returns an option that holds names and values; empty where it is missing.

    Raises: ConnectionUnusable when it holds something else.
    """
    value = extra.get(name, {})
    if not isinstance(value, Mapping):
        raise ConnectionUnusable(
            f"{name} in the connection's extras holds no names and values",
            found=type(value).__name__,
            expected="an object of JSON",
        )
    return dict(value)


def text(extra: Mapping[str, Any], name: str) -> str | None:
    """Returns an option that holds a text.

    Raises: ConnectionUnusable when it holds something else.
    """
    value = extra.get(name)
    if value is not None and not isinstance(value, str):
        raise ConnectionUnusable(
            f"{name} in the connection's extras is not a text", found=type(value).__name__
        )
    return value


def flag(extra: Mapping[str, Any], name: str) -> bool:
    """Returns an option that is true or false, also as a text, as it stands in a URI.

    Raises: ConnectionUnusable when it is something else.
    """
    value = extra.get(name, False)
    meaning = {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())
    if meaning is None:
        raise ConnectionUnusable(
            f"{name} in the connection's extras is neither true nor false", found=str(value)
        )
    return meaning
