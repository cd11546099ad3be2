"""Patches astro-sdk at its first import, in every process and under whichever name it is imported.

astro-sdk 1.9.0 is the last version and was written for Airflow 2. `install` puts a finder before
Python's own. It handles only modules of `astro`, and each of these gets its patches
(`include.astro_sdk.patches`) while it is loaded, so no code sees it without them. Until then the
finder costs one comparison of strings per import, and imports nothing.
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
# Airflow imports these two in every process, the second under the name in astro's entry point, to
# ask a provider for its name. They are a few lines, and need no patch.
BARE = (PACKAGE, "astro.__init__")
VERSION = "1.9.0"


class WrongAstroVersion(ImportError):
    """astro-sdk is installed in a version that these patches were not written for."""


def install() -> None:
    """Makes every later import of astro a patched one; a second call does nothing.

    Raises: WrongAstroVersion when astro is imported already in another version, ImportError when
    it is half imported.
    """
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
        _patch_loaded_modules()


def _patch_loaded_modules() -> None:
    """`from astro import sql` imports astro itself before Airflow, and so before the finder."""
    for name in sorted(name for name in sys.modules if _is_astro(name)):
        module = sys.modules[name]
        if name in BARE:
            _refuse_other_versions(module)
            continue
        half_loaded = getattr(module.__spec__, "_initializing", False)
        if half_loaded and (name in _patches().PATCHES or name in _patches().STAND_INS):
            raise ImportError(
                f"{name} is being imported without its patches. What to do: import airflow first"
            )
        _patch(module)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds astro's modules as Python does, and gives them a loader that patches them."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if not _is_astro(name):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(importlib.abc.Loader):
    """Loads a module while its stand-ins are there, then patches it."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader

    def create_module(self, spec: Any) -> ModuleType | None:
        module: ModuleType | None = self.loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        if module.__name__ in BARE:
            self.loader.exec_module(module)
            _refuse_other_versions(module)
            return
        with ExitStack() as stack:
            # There will be no other version, so its imports under deprecated names will stay: to
            # warn of them in every process would only hide warnings that somebody can act on.
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", FutureWarning)
            for stand_in in _patches().STAND_INS.get(module.__name__, ()):
                stack.enter_context(stand_in())
            self.loader.exec_module(module)
            _patch(module)

    def __getattr__(self, name: str) -> Any:
        # inspect, pkgutil and tracebacks ask the loader for sources and files.
        return getattr(self.loader, name)


def _patch(module: ModuleType) -> None:
    for patch in _patches().PATCHES.get(module.__name__, ()):
        patch(module)


def _refuse_other_versions(module: ModuleType) -> None:
    version = getattr(module, "__version__", "unknown")
    if version != VERSION:
        raise WrongAstroVersion(
            f"astro-sdk-python {version} is installed, and include/astro_sdk patches only"
            f" {VERSION}.\n"
            f"  what to do: install astro-sdk-python=={VERSION}, as requirements.txt says"
        )


def _patches() -> Any:
    return importlib.import_module("include.astro_sdk.patches")


def _is_astro(name: str) -> bool:
    return name == PACKAGE or name.startswith(PACKAGE + ".")
