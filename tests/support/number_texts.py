"""Random texts of numbers, valid ones and ones that are nearly valid."""
# ruff: noqa: E501

from __future__ import annotations

from random import Random

from tests.support.text_mutations import TextGenerator, with_mutations


def digits(rng: Random, most: int) -> str:
    """Makes up to so many digits."""
    return str(rng.randrange(10 ** rng.randint(1, max(1, most))))


def sign(rng: Random) -> str:
    """Chooses a sign, most often none."""
    return rng.choice(["", "", "", "-", "+"])


def _pad(rng: Random) -> str:
    return "0" * rng.choice([0, 0, 0, 0, 1, 2, 40])


def integer(bits: int) -> TextGenerator:
    """Makes integers of all sizes, most of them near the limits of the type."""
    edge = 1 << (bits - 1)

    def generate(rng: Random) -> str:
        roll = rng.randrange(12)
        if roll < 6:
            return sign(rng) + _pad(rng) + digits(rng, len(str(edge)))
        if roll < 9:
            return str(rng.choice([-1, 1]) * edge + rng.randint(-2, 2))
        if roll == 9:
            prefix, form = rng.choice([("0x", "x"), ("0X", "X"), ("0o", "o"), ("0b", "b")])
            return sign(rng) + prefix + format(rng.choice([edge - 1, edge, 255, 65535]), form)
        if roll == 10:
            return f"{sign(rng)}{rng.randrange(edge):_}"
        return number(rng)

    return with_mutations(generate)


def number(rng: Random) -> str:
    """Makes a number: with a point, with an exponent, or by name."""
    roll = rng.randrange(14)
    whole, part = _pad(rng) + digits(rng, rng.choice([3, 14, 30])), digits(rng, 12)
    if roll < 3:
        return sign(rng) + whole
    if roll < 7:
        return f"{sign(rng)}{whole}.{_pad(rng)}{part}"
    if roll == 7:
        return sign(rng) + rng.choice([f"{whole}.", f".{part}", ".", "0.", ".0", "0.0", "-0"])
    if roll < 11:
        mantissa = rng.choice([whole, f"{whole}.{part}", f".{part}", f"{part}.", "1"])
        power = rng.choice([rng.randint(-5, 5), rng.randint(-60, 60), rng.randint(-420, 420)])
        return f"{sign(rng)}{mantissa}{rng.choice('eE')}{rng.choice(['', '+'])}{power}"
    names = ["NaN", "nan", "NAN", "inf", "Inf", "infinity", "Infinity", "INFINITY", "0x1p3", "0x1F",
             "1e", "1e+", "1d5", "1f", "nan(1)", "snan", "infinit", "1e400", "1e-400", "6e35",
             "4.9e-324", "2.4703282292062328e-324", "1.7976931348623159e308", "3.4028236e38",
             "3.4028235677973366e38", "1.4e-45", "7e-46", "1.17549435e-38", "9007199254740993"]  # fmt: skip
    return sign(rng) + rng.choice(names)


def numeric(precision: int, scale: int) -> TextGenerator:
    """Makes numbers near the limits of a numeric with this precision and scale."""

    def generate(rng: Random) -> str:
        if rng.random() < 0.4:
            return number(rng)
        whole = rng.choice(
            [digits(rng, max(1, precision - scale + 1)), "9" * (precision - scale), "0"]
        )
        part = rng.choice(["", ".", "." + digits(rng, scale + 2), "." + "9" * (scale + 1),
                           "." + "0" * 50, "." + digits(rng, scale) + "5"])  # fmt: skip
        return sign(rng) + _pad(rng) + whole + part

    return with_mutations(generate)
