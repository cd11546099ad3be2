"""The names of a result's columns, in formats that tell columns by their names."""

from __future__ import annotations

from collections.abc import Sequence

from include.landfall.errors import TerminalError


def check_names(names: Sequence[str], file: str) -> None:
    """Checks that the columns can be those of the file.

    Raises: TerminalError when there is none, or two have the same name.
    """
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not names:
        raise TerminalError(
            f"the result's columns cannot be those of {file}",
            found=f"two columns named {twice[0]!r}" if twice else "no columns",
            expected="one column or more, each with a name of its own",
            do="name them in the query with AS",
        )
