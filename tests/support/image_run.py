"""Which tests run where pytest has no plugins, as in the Astro image.

`astro dev pytest` runs pytest in the image that is deployed. The image has what the project needs
and pytest, and none of the tools of requirements-dev.in. The tests that run there show what only
the image can show: its Python, its Airflow and its packages run the DAGs, the plugins, the engine
and the patches of astro-sdk. `make test` has the tools, and runs everything.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

PLUGINS = ("pytest_mock", "pytest_socket", "pytest_timeout", "xdist")
TESTS = Path(__file__).parents[1]
FOLDERS = [TESTS / "unit" / name for name in ("astro_sdk", "dags", "landfall", "plugins")]
# What a test file may need and the image does not have: tools, the fixtures of plugins, services.
TOOLS = re.compile(
    r"^ *(from|import) (hypothesis|moto|include\.local\.course|tests\.bench\.polluted)\b"
    r"|\bmocker\b",
    re.MULTILINE,
)


def missing_plugins(
    find: Callable[[str], object] = find_spec, environment: str = sys.prefix
) -> list[str]:
    """Returns the plugins of pytest that are not installed here.

    In an environment that `make` has made, one that is missing among others ends the run: the run
    would leave tests out and still be green.
    """
    missing = [name for name in PLUGINS if not find(name)]
    if 0 < len(missing) < len(PLUGINS) and Path(environment, ".ready").exists():
        pytest.exit(f"{environment} has no {', '.join(missing)}; remove it, and run make", 3)
    return missing


def is_left_out(path: Path) -> bool:
    """Returns whether a folder or file of tests is left out where pytest has no plugins."""
    if path.is_dir():
        return not any(
            folder in (path, *path.parents) or path in folder.parents for folder in FOLDERS
        )
    return path.name.startswith("test_") and bool(TOOLS.search(path.read_text(encoding="utf-8")))
