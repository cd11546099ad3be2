"""The options of `load_file` for a file that comes from another task."""

from __future__ import annotations

from types import ModuleType
from typing import Any


def options_reach_upstream_files(module: ModuleType) -> None:
    """Gives `load_options` to a file that an upstream task has returned.

    Problem: on any Airflow, the options were put on the file when the DAG was parsed, and the file
    of an upstream task is another one: its delimiter was forgotten without a warning.
    Fix: they are put on the file that the task loads.
    """
    cls = module.LoadFileOperator
    load_data = cls.load_data

    def with_options(self: Any, input_file: Any, context: Any) -> Any:
        options = self.load_options_list._load_options  # noqa: SLF001  there is no other way
        if options and not input_file.load_options:
            input_file.load_options = list(options.values())
        return load_data(self, input_file, context)

    cls.load_data = with_options
