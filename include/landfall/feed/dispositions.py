"""The write dispositions that a feed can declare, and the strategies of a merge.

This module is the registry of dispositions: each name stands beside the module that does the
work, and no other module tells dispositions apart by name.
"""

from __future__ import annotations

DEFAULT = "append"
DISPOSITIONS = {
    "append": "include.landfall.write.dispositions.append",
    "replace": "include.landfall.write.dispositions.replace",
    "merge": "include.landfall.write.dispositions.upsert",
}
MERGE, REPLACE = "merge", "replace"
REPLACE_WHERE = "include.landfall.write.dispositions.replace_where"
UPSERT, SCD2 = "upsert", "scd2"
STRATEGIES = {
    UPSERT: "include.landfall.write.dispositions.upsert",
    "delete-insert": "include.landfall.write.dispositions.delete_insert",
    SCD2: "include.landfall.write.dispositions.scd2",
}
