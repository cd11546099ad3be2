"""Plays all rounds of every attack: `make chaos`, or `python -m tests.chaos --help`."""

from __future__ import annotations

import argparse
import atexit
import random
import shutil
import signal
import sys
import time
import traceback
from collections import Counter

from tests.chaos.attacks import ATTACKS
from tests.chaos.cases import Servers
from tests.chaos.servers import own_servers
from tests.support.airflow_isolation import isolate_airflow

Rounds = list[tuple[bool, str]]  # of each round: whether the guarantee held, and the outcome


def main() -> int:
    """Plays the attacks; returns 0 when every guarantee held."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that the servers end too
    print(f"seed {options.seed} (to play the same again: --seed {options.seed})")
    started = time.monotonic()
    home = isolate_airflow()
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    with own_servers() as servers:
        played = {name: _play(name, servers, options) for name in _chosen(options.only)}
    print(f"\n{'attack':<42}{'times':>6}{'held':>6}  outcome")
    for name, rounds in played.items():
        _row(name, rounds)
    print(f"in {time.monotonic() - started:.0f} seconds")
    return 0 if all(held for rounds in played.values() for held, _ in rounds) else 1


def _row(name: str, rounds: Rounds) -> None:
    outcomes = Counter(outcome.splitlines()[0] for _, outcome in rounds).most_common()
    first, *rest = (f"{number} x {outcome}" for outcome, number in outcomes)
    print(f"{name:<42}{len(rounds):>6}{sum(held for held, _ in rounds):>6}  {first}")
    for line in rest:
        print(f"{'':<56}{line}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument(
        "--times", type=int, help="rounds of each attack, instead of the usual number"
    )
    parser.add_argument("--only", default="", help="attacks whose name contains this text")
    return parser.parse_args()


def _chosen(text: str) -> list[str]:
    return [name for name in ATTACKS if text in name] or sys.exit(f"no attack is named {text!r}")


def _play(name: str, servers: Servers, options: argparse.Namespace) -> Rounds:
    attack, times = ATTACKS[name]
    rounds: Rounds = []
    for number in range(1, (options.times or times) + 1):
        try:
            outcome = attack(servers, random.Random(f"{options.seed} {name} {number}"))
            rounds.append((True, outcome))
        except Exception:  # noqa: BLE001  the guarantee did not hold, whatever was raised
            rounds.append((False, f"BROKEN\n{traceback.format_exc()}"))
            servers.end_loaders()
        print(f"{name} {number}: {rounds[-1][1]}", flush=True)
    return rounds


if __name__ == "__main__":
    sys.exit(main())
