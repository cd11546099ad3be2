"""Attacks on the guarantees. `python -m tests.chaos` plays all rounds, the tests play a few."""
