"""All classes of exceptions that an installed library defines."""

from __future__ import annotations

import importlib
import operator
import pkgutil
import sys
from collections.abc import Iterator
from types import ModuleType


def exception_classes(library: ModuleType) -> list[type[BaseException]]:
    """Returns the classes that stand in the library's modules, whatever they are derived from."""
    for module in pkgutil.walk_packages(library.__path__, f"{library.__name__}."):
        try:
            importlib.import_module(module.name)
        except ImportError:  # a module for another library that is not installed
            continue
    classes = {c for c in _subclasses(BaseException) if _stands_in(library, c)}
    return sorted(classes, key=lambda c: (c.__module__, c.__qualname__))


def _subclasses(base: type) -> Iterator[type]:
    for subclass in type.__subclasses__(base):
        yield subclass
        yield from _subclasses(subclass)


def _stands_in(library: ModuleType, candidate: type) -> bool:
    """Whether a module holds the class: botocore's clients also make classes while they run."""
    if candidate.__module__.split(".")[0] != library.__name__:
        return False
    try:
        held = operator.attrgetter(candidate.__qualname__)(sys.modules[candidate.__module__])
    except (AttributeError, KeyError):
        return False
    return held is candidate
