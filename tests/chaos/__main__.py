"""Plays every attack in full number: `make chaos`, or `python -m tests.chaos --help`."""

from __future__ import annotations

import argparse
import random
import signal
import sys
import time
import traceback
from collections import Counter

from tests.chaos.attacks import ATTACKS
from tests.chaos.ground import Ground
from tests.chaos.servers import own_servers

Played = list[tuple[bool, str]]  # of each round: whether it held, and what came of it


def main() -> int:
    """Plays; 0 when everything held."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # and the servers with it
    print(f"seed {options.seed} (to play the same again: --seed {options.seed})")
    started = time.monotonic()
    with own_servers() as ground:
        played = {name: _play(name, ground, options) for name in _chosen(options.only)}
    print(f"\n{'attack':<42}{'times':>6}{'held':>6}  what came of it")
    for name, rounds in played.items():
        _row(name, rounds)
    print(f"in {time.monotonic() - started:.0f} seconds")
    return 0 if all(held for rounds in played.values() for held, _ in rounds) else 1


def _row(name: str, rounds: Played) -> None:
    came = Counter(said.splitlines()[0] for _, said in rounds).most_common()
    first, *rest = (f"{number} x {said}" for said, number in came)
    print(f"{name:<42}{len(rounds):>6}{sum(held for held, _ in rounds):>6}  {first}")
    for line in rest:
        print(f"{'':<56}{line}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument(
        "--times", type=int, help="rounds of each attack, instead of its own number"
    )
    parser.add_argument("--only", default="", help="attacks whose name holds this text")
    return parser.parse_args()


def _chosen(text: str) -> list[str]:
    return [name for name in ATTACKS if text in name] or sys.exit(f"no attack is named {text!r}")


def _play(name: str, ground: Ground, options: argparse.Namespace) -> Played:
    attack, times = ATTACKS[name]
    played = []
    for number in range(1, (options.times or times) + 1):
        try:
            said = attack(ground, random.Random(f"{options.seed} {name} {number}"))
            played.append((True, said))
        except Exception:  # noqa: BLE001  a round that fails in any way did not hold
            played.append((False, f"BROKEN\n{traceback.format_exc()}"))
            ground.dismiss()
        print(f"{name} {number}: {played[-1][1]}", flush=True)
    return played


if __name__ == "__main__":
    sys.exit(main())
