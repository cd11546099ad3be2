"""Texts of a grammar, a share of which is spoiled: put between blanks, changed, or replaced by junk.

No text has a zero byte: a text of Postgres cannot hold one, and the reader refuses the file.
"""
# ruff: noqa: E501, RUF001

from __future__ import annotations

from collections.abc import Callable
from random import Random

TextGenerator = Callable[[Random], str]
BLANKS = [" ", "  ", "\t", "\n", "\r\n", "\v", "\f", "\u00a0", "\u2003", "\ufeff"]
DIGITS = ["0123456789", "٠١٢٣٤٥٦٧٨٩", "０１２３４５６７８９", "०१२३४५६७८९"]
JUNK = ["", " ", "-", "+", ".", "e", "NULL", "null", "NA", "nan", "N/A", "\\N", "\\", '"', "'", "{}",
        "0x", "ü", "€", "𝟙", "½", "²", "true", "'); DROP TABLE x --", "%s", "%", "{0}", "\x01", "\x7f",
        "\u200b1", "1\u200b", "x" * 300, "9" * 400, "1,5", "1 000", "$1", "1_000", "1__0", "_1", "1_",
        "infinity", "-infinity", "Infinity", "inf", "now", "epoch", "today", "allballs", "😀"]  # fmt: skip
MUTANTS = "0123456789+-.:,_ eExXTtZz/\\\"'{}[]()aAnNfF\t\n٣ü\u00a0"


def with_mutations(grammar: TextGenerator) -> TextGenerator:
    """Makes a generator that spoils a share of the grammar's texts."""

    def generate(rng: Random) -> str:
        roll = rng.random()
        if roll < 0.03:
            return rng.choice(JUNK)
        text = grammar(rng)
        if roll < 0.70:
            return text
        if roll < 0.78:
            return rng.choice(BLANKS) * rng.randint(0, 1) + text + rng.choice(BLANKS)
        if roll < 0.80:
            return text.translate(dict(zip(range(48, 58), rng.choice(DIGITS))))
        if roll < 0.83:
            return rng.choice([text.upper(), text.lower(), text.title(), text.swapcase()])
        return mutate(rng, text)

    return generate


def mutate(rng: Random, text: str) -> str:
    """Removes, inserts or changes one to three characters, or repeats a part of the text."""
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        at = rng.randint(0, len(text))
        change = rng.randrange(4)
        if change == 0:
            text = text[:at] + text[at + 1 :]
        elif change == 1:
            text = text[:at] + rng.choice(MUTANTS) + text[at:]
        elif change == 2:
            text = text[:at] + rng.choice(MUTANTS) + text[at + 1 :]
        else:
            text = text[:at] + text[max(0, at - rng.randint(1, 4)) :]
    return text
