"""Merges that keep what they replace, and how they are undone, for tests of `forget`."""

from __future__ import annotations

import shlex

from include.landfall.forget import forget_together


def keeping(engine, strategy="upsert", days=7, more=None, **target):
    """Makes the engine's feed one that merges into `raw.t` and keeps what it replaces."""
    merge = {"table": "raw.t", "disposition": "merge", "key": ["id"], "strategy": strategy}
    merge |= {"keep_replaced": days} if days else {}
    return engine.be(target=merge | target, rejects={"at_most": 100}, **(more or {}))


def undo(engine, *keys):
    """Forgets the files together; returns what went away with the first one."""
    return forget_together(engine.feed, keys, warehouse=engine.warehouse)[0]


def objects_of(refused):
    """Returns the objects of the command that a refusal names."""
    _, _, command = (refused.do or "").partition("landfall forget --feed ...")
    return [word for word in shlex.split(command) if word != "--object"]


def replay_edited(engine, column, cells):
    """Replays rejects with these cells in a column, by its cell in the file."""
    rejects = engine.sql("SELECT reject_id, cells FROM landfall.rejects WHERE state = 'open'")
    names = list(engine.feed.table_columns)
    edited = {
        reject_id: [cells[old[name]] if name == column else old[name] for name in names]
        for reject_id, old in rejects
        if old[column] in cells
    }
    engine.replay(edited=edited)
