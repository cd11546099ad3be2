"""The attacks on the promises: `python -m tests.chaos` in full number, a handful in the tests."""
