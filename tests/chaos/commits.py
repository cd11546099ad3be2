"""The attack at COMMIT: the connection is cut before or after it, and the server may stay away."""

from __future__ import annotations

import random
import time
from dataclasses import replace

from include.landfall.connections import Warehouse
from tests.chaos.cases import (
    LARGE,
    SMALL,
    Servers,
    TableWatcher,
    outcome_of,
)
from tests.chaos.proxy import COMMIT, Cut, Link, Proxy, passing
from tests.chaos.scene import make_scene


def commit(servers: Servers, rng: random.Random) -> str:
    """Cuts the connection at COMMIT: the load or the rerun finds out, and no row is doubled."""
    scene = make_scene(servers, rng, rng.choice([SMALL, LARGE]))
    cut = rng.choice(list(CUTS))
    stays_away = rng.random() < 0.5
    server = servers.warehouse
    with TableWatcher(scene.case) as watcher:
        with _cutting_proxy(server, cut, stays_away) as proxy:
            first = outcome_of(
                scene.case, scene.file, replace(server, host="127.0.0.1", port=proxy.port)
            )
        scene.case.check_quiet()
        state = scene.case.state()
        rerun = scene.case.load(scene.file).outcome
    assert first == ("loaded" if state == scene.after and not stays_away else "transient"), first
    assert rerun == ("already_loaded" if state == scene.after else "loaded")
    assert (state == scene.after) == (cut != "COMMIT lost")
    scene.check(watcher)
    return f"{cut}{', server stays away' * stays_away}: {first}, {rerun}"


def _commit_lost(link: Link, chunk: bytes) -> bytes:
    if chunk.endswith(COMMIT):
        raise Cut
    return chunk


def _commit_noted(link: Link, chunk: bytes) -> bytes:
    link.marked = link.marked or chunk.endswith(COMMIT)
    return chunk


def _answer_lost(link: Link, chunk: bytes) -> bytes:
    if link.marked:
        raise Cut
    return chunk


def _commit_late(link: Link, chunk: bytes) -> bytes:
    """Cuts the client at once, and passes COMMIT on only after the client has asked again."""
    if chunk.endswith(COMMIT):
        link.close(link.client)
        time.sleep(0.5)
    return chunk


CUTS = {
    "COMMIT lost": {"forth": _commit_lost},
    "answer lost": {"forth": _commit_noted, "back": _answer_lost},
    "COMMIT late": {"forth": _commit_late},
}


def _cutting_proxy(server: Warehouse, cut: str, stays_away: bool) -> Proxy:
    """Makes a proxy that cuts the first COMMIT, and only that one."""
    hooks = {"forth": passing, **CUTS[cut]}
    cut_links: list[Link] = []

    def forth(link: Link, chunk: bytes) -> bytes:
        if chunk.endswith(COMMIT) and not cut_links:
            cut_links.append(link)
            proxy.away = stays_away
        return hooks["forth"](link, chunk) if link in cut_links else chunk

    proxy = Proxy(server.host, server.port, forth, hooks.get("back", passing))
    return proxy
