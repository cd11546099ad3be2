"""The write dispositions that a feed can declare.

This module is the registry of dispositions: each name stands beside the module that does the
work, and no other module tells dispositions apart by name.
"""

from __future__ import annotations

DEFAULT = "append"
DISPOSITIONS = {
    "append": "include.landfall.write.dispositions.append",
    "replace": "include.landfall.write.dispositions.replace",
}
