"""Mends astro-sdk at its first import, in whatever process and by whichever name it is imported.

astro-sdk 1.9.0 is the last there will be and was written for Airflow 2. `install` puts a finder
before Python's own: it looks at nothing but modules of `astro`, and each of these gets its mends
(`include.astro_sdk.patches`) as it is loaded, so nobody ever sees it unmended. Until then the
finder costs one comparison of strings per import, and imports nothing itself.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
import warnings
from contextlib import ExitStack
from types import ModuleType
from typing import Any

PACKAGE = "astro"
# Airflow imports these two everywhere, the second as it is written in astro's entry point, to ask
# a provider of Airflow's what it is called. They are a few lines, and need no mend.
BARE = (PACKAGE, "astro.__init__")
VERSION = "1.9.0"


class WrongAstroVersion(ImportError):
    """astro-sdk is there in a version that these mends were not written for."""


def install() -> None:
    """Have astro mended when it is imported. A second call does nothing.

    Raises: WrongAstroVersion at once when astro is imported already, else at its import.
    """
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
        _mend_what_is_there()


def _mend_what_is_there() -> None:
    """`from astro import sql` imports astro itself before Airflow, and so before the finder."""
    for name in sorted(name for name in sys.modules if _is_astro(name)):
        module = sys.modules[name]
        if name in BARE:
            _refuse_other_versions(module)
            continue
        half_loaded = getattr(module.__spec__, "_initializing", False)
        if half_loaded and (name in _mends().MENDS or name in _mends().STAND_INS):
            raise ImportError(
                f"{name} is being imported unmended. What to do: import airflow first"
            )
        _after(module)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds astro's modules as Python does, and hands them over with their mends."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if not _is_astro(name):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(importlib.abc.Loader):
    """Loads a module with its stand-ins in place, then mends it."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader

    def create_module(self, spec: Any) -> ModuleType | None:
        made: ModuleType | None = self.loader.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        if module.__name__ in BARE:
            self.loader.exec_module(module)
            _refuse_other_versions(module)
            return
        with ExitStack() as stack:
            # The package is frozen: that it imports by deprecated names will not change, and
            # telling it again in every process only hides warnings that somebody can act on.
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", FutureWarning)
            for stand_in in _mends().STAND_INS.get(module.__name__, ()):
                stack.enter_context(stand_in())
            self.loader.exec_module(module)
            _after(module)

    def __getattr__(self, name: str) -> Any:
        # inspect, pkgutil and tracebacks ask the loader for sources and files.
        return getattr(self.loader, name)


def _after(module: ModuleType) -> None:
    for mend in _mends().MENDS.get(module.__name__, ()):
        mend(module)


def _refuse_other_versions(module: ModuleType) -> None:
    found = getattr(module, "__version__", "unknown")
    if found != VERSION:
        raise WrongAstroVersion(
            f"astro-sdk-python {found} is installed, and include/astro_sdk mends {VERSION} only."
            f" What to do: install astro-sdk-python=={VERSION}, as requirements.txt says."
        )


def _mends() -> Any:
    return importlib.import_module("include.astro_sdk.patches")


def _is_astro(name: str) -> bool:
    return name == PACKAGE or name.startswith(PACKAGE + ".")
