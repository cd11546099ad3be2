"""Patches astro-sdk in every Airflow process, so that DAGs written for it run unchanged.

Airflow imports a module of this name in every process as it starts: scheduler, DAG processor,
triggerer, API server, and the processes of tasks. It finds this one because the plugins folder is
on its path. The module only installs a finder, which acts at the first `import astro`.
"""

from __future__ import annotations

import sys
from pathlib import Path

# Every public name of this module would become a setting or a policy of Airflow's.
__all__: list[str] = []

# `include` is beside this folder. The Astro image has it on the path, another Airflow may not.
_root = str(Path(__file__).resolve().parent.parent)
if _root not in sys.path:
    sys.path.append(_root)

from include.astro_sdk.patching import install as _install  # noqa: E402

_install()
