"""Random cell texts of each type: valid ones, ones that are nearly valid, and hostile ones.

Each type has a grammar around its valid forms. A share of its texts is then mutated, put between
blanks, or replaced by junk. No text has a zero byte: a text of Postgres cannot hold one, and the
reader refuses the file. The test seeds the one generator of random numbers.
"""
# Long lists of texts stay on long lines, and they need letters of other alphabets.
# ruff: noqa: E501, RUF001

from __future__ import annotations

import re
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


def _digits(rng: Random, most: int) -> str:
    return str(rng.randrange(10 ** rng.randint(1, max(1, most))))


def _sign(rng: Random) -> str:
    return rng.choice(["", "", "", "-", "+"])


def _pad(rng: Random) -> str:
    return "0" * rng.choice([0, 0, 0, 0, 1, 2, 40])


def integer(bits: int) -> TextGenerator:
    """Makes integers of all sizes, most of them near the limits of the type."""
    edge = 1 << (bits - 1)

    def generate(rng: Random) -> str:
        roll = rng.randrange(12)
        if roll < 6:
            return _sign(rng) + _pad(rng) + _digits(rng, len(str(edge)))
        if roll < 9:
            return str(rng.choice([-1, 1]) * edge + rng.randint(-2, 2))
        if roll == 9:
            prefix, form = rng.choice([("0x", "x"), ("0X", "X"), ("0o", "o"), ("0b", "b")])
            return _sign(rng) + prefix + format(rng.choice([edge - 1, edge, 255, 65535]), form)
        if roll == 10:
            return f"{_sign(rng)}{rng.randrange(edge):_}"
        return number(rng)

    return with_mutations(generate)


def number(rng: Random) -> str:
    """Makes a number: with a point, with an exponent, or by name."""
    roll = rng.randrange(14)
    whole, part = _pad(rng) + _digits(rng, rng.choice([3, 14, 30])), _digits(rng, 12)
    if roll < 3:
        return _sign(rng) + whole
    if roll < 7:
        return f"{_sign(rng)}{whole}.{_pad(rng)}{part}"
    if roll == 7:
        return _sign(rng) + rng.choice([f"{whole}.", f".{part}", ".", "0.", ".0", "0.0", "-0"])
    if roll < 11:
        mantissa = rng.choice([whole, f"{whole}.{part}", f".{part}", f"{part}.", "1"])
        power = rng.choice([rng.randint(-5, 5), rng.randint(-60, 60), rng.randint(-420, 420)])
        return f"{_sign(rng)}{mantissa}{rng.choice('eE')}{rng.choice(['', '+'])}{power}"
    names = ["NaN", "nan", "NAN", "inf", "Inf", "infinity", "Infinity", "INFINITY", "0x1p3", "0x1F",
             "1e", "1e+", "1d5", "1f", "nan(1)", "snan", "infinit", "1e400", "1e-400", "6e35",
             "4.9e-324", "2.4703282292062328e-324", "1.7976931348623159e308", "3.4028236e38",
             "3.4028235677973366e38", "1.4e-45", "7e-46", "1.17549435e-38", "9007199254740993"]  # fmt: skip
    return _sign(rng) + rng.choice(names)


def numeric(precision: int, scale: int) -> TextGenerator:
    """Makes numbers near the limits of a numeric with this precision and scale."""

    def generate(rng: Random) -> str:
        if rng.random() < 0.4:
            return number(rng)
        whole = rng.choice(
            [_digits(rng, max(1, precision - scale + 1)), "9" * (precision - scale), "0"]
        )
        part = rng.choice(["", ".", "." + _digits(rng, scale + 2), "." + "9" * (scale + 1),
                           "." + "0" * 50, "." + _digits(rng, scale) + "5"])  # fmt: skip
        return _sign(rng) + _pad(rng) + whole + part

    return with_mutations(generate)


def boolean(rng: Random) -> str:
    """Makes a boolean: Postgres takes true, yes and on, and every beginning of them."""
    words = ["true", "false", "yes", "no", "on", "off", "1", "0", "t", "f", "y", "n"]
    word = rng.choice(words)
    word = word[: rng.randint(1, len(word))] if rng.random() < 0.2 else word
    return rng.choice([word, word, word.upper(), word.title()])


LETTERS = ["a", "b", "Z", "0", " ", " ", "ü", "é", "e\u0301", "€", "😀", "𝕏", "\t", "\n", "\r", "'", '"',
           "\\", ",", ";", "{", "}", "\u200b", "\u0000x"[1], "\ufffd", "\U0010ffff", "ﬃ", "\x1f"]  # fmt: skip


def words(most: int) -> TextGenerator:
    """Makes up to `most` letters of one to four bytes, often with blanks at the end."""

    def generate(rng: Random) -> str:
        text = "".join(rng.choices(LETTERS, k=rng.randint(0, most)))
        return text + " " * rng.choice([0, 0, 0, 0, 1, 2, 5])

    return with_mutations(generate)


def bytea(rng: Random) -> str:
    """Makes bytes in the hex form, in the escape form, or in neither."""
    roll = rng.randrange(6)
    if roll < 3:
        text = rng.choice(["\\x", "\\x", "\\X"]) + rng.randbytes(rng.randint(0, 6)).hex()
        return text.upper() if roll == 0 else text
    if roll == 3:
        return "".join(
            rng.choice(["\\\\", "a", "ü", f"\\{rng.randrange(512):03o}"]) for _ in "1234"
        )
    return words(6)(rng)


def _day(rng: Random) -> str:
    year = rng.choice([rng.randint(1900, 2100), rng.randint(0, 9999), rng.randint(0, 300000), 2024])
    year_text = rng.choice(
        [f"{year:04}", f"{year:04}", f"{year:04}", str(year), f"{year:05}", "0000"]
    )
    month, day = rng.choice([(rng.randint(1, 12), rng.randint(1, 28)), (2, 29), (2, 30), (12, 31),
                             (rng.randint(0, 14), rng.randint(0, 33)), (4, 31)])  # fmt: skip
    roll = rng.randrange(16)
    if roll < 11:
        return f"{year_text}-{month:02}-{day:02}"
    names = ["Jan", "feb", "MARCH", "Sept", "dec"]
    forms = [f"{year_text}{month:02}{day:02}", f"{month}/{day}/{year}", f"{year_text}-{month}-{day}",
             f"{day} {rng.choice(names)} {year}", f"{rng.choice(names)} {day}, {year}",
             f"{year_text}.{rng.randint(0, 367):03}", f"{day}.{month}.{year}", f"J{year}", "J2451187",
             f"{year_text}-{month:02}-{day:02} BC", "infinity", "-infinity", "epoch", "now", "today",
             "tomorrow", "yesterday", f"{year_text}-{month:02}", f"{year_text}-W05-1",
             "4713-11-24 BC", "4714-11-23 BC", "5874897-12-31", "5874898-01-01", "294276-12-31",
             "294277-01-01", "0001-01-01", "9999-12-31", "1582-10-10", f"-{year_text}-01-01"]  # fmt: skip
    return rng.choice(forms)


def _clock(rng: Random) -> str:
    hour, minute = rng.choice([(rng.randint(0, 23), rng.randint(0, 59)), (24, 0), (23, 59), (0, 0),
                               (rng.randint(0, 26), rng.randint(0, 62))])  # fmt: skip
    second = rng.choice(
        [f"{rng.randint(0, 59):02}", "00", "59", "60", "61", str(rng.randint(0, 9))]
    )
    part = rng.choice(["", "", "", ".", "." + "9" * rng.randint(1, 9), f".{_digits(rng, 8)}",
                       f".{rng.randrange(10**6):06}", ".0000005", ".9999995"])  # fmt: skip
    roll = rng.randrange(14)
    if roll < 9:
        return f"{hour:02}:{minute:02}:{second}{part}"
    forms = [f"{hour:02}:{minute:02}", f"{hour}:{minute:02}", f"{hour:02}", f"{hour:02}{minute:02}",
             f"{hour:02}{minute:02}{second}", f"{hour % 13}:{minute:02} PM", f"{hour:02}:{minute:02} am",
             f"{hour:02}:{minute}:{second}{part}", "allballs", f"T{hour:02}:{minute:02}:{second}",
             f"{hour:02}:{minute:02}:{second},5", f"{hour:02}:{minute:02}.5"]  # fmt: skip
    return rng.choice(forms)


def _zone(rng: Random) -> str:
    hour, minute = (
        rng.choice([rng.randint(0, 15), rng.randint(0, 25)]),
        rng.choice([0, 30, 45, 59, 61]),
    )
    sign = rng.choice("+-")
    forms = ["Z", "z", " Z", "UTC", " UTC", "+00", f"{sign}{hour:02}", f"{sign}{hour:02}:{minute:02}",
             f"{sign}{hour:02}{minute:02}", f"{sign}{hour}", f"{sign}15:59", f"{sign}15:59:59",
             f"{sign}16", f"{sign}{hour:02}:{minute:02}:07", " America/New_York", " EST", " CEST", " GMT",
             f" {sign}{hour:02}", f" {sign}{hour:02}:{minute:02}", " UTC+3", " Mars/Base", "zulu", "-00:00",
             f"{sign}0{hour:02}"]  # fmt: skip
    return rng.choice(forms)


def clock(rng: Random) -> str:
    """Makes a time of day, sometimes with a zone or a day, which are wrong there."""
    roll = rng.randrange(10)
    text = _clock(rng)
    return text + _zone(rng) if roll == 0 else f"{_day(rng)} {text}" if roll == 1 else text


def zoned_clock(rng: Random) -> str:
    """Makes a time of day, in most cases with a zone."""
    return _clock(rng) + (_zone(rng) if rng.random() < 0.85 else "")


def moment(rng: Random) -> str:
    """Makes a day with a time, sometimes with a zone."""
    roll = rng.randrange(10)
    if roll == 0:
        return _day(rng)
    text = _day(rng) + rng.choice([" ", " ", " ", "T", "T", "t", "  ", ""]) + _clock(rng)
    return text + rng.choice(["", "", " BC", " AD"]) if roll < 6 else text + _zone(rng)


def zoned_moment(rng: Random) -> str:
    """Makes a day with a time, in most cases with a zone."""
    text = _day(rng) + rng.choice([" ", " ", " ", "T", "T", "  "]) + _clock(rng)
    return text + (_zone(rng) if rng.random() < 0.85 else rng.choice(["", " BC", " BC+01"]))


def interval(rng: Random) -> str:
    """Makes an interval: by units, as ISO 8601, or as a time."""
    units = ["year", "years", "mon", "months", "week", "day", "days", "hours", "min", "m", "s", "sec",
             "ms", "us", "century", "decade", "millennium", "y", "d", "h"]  # fmt: skip
    amount = rng.choice([_digits(rng, 3), _digits(rng, 12), f"{_digits(rng, 3)}.{_digits(rng, 8)}"])
    phrases = [f"{_sign(rng)}{amount} {rng.choice(units)}" for _ in range(rng.randint(1, 3))]
    forms = [" ".join(phrases), " ".join(phrases) + " ago", f"@ {phrases[0]}", _clock(rng),
             f"{_sign(rng)}{amount} {_clock(rng)}", f"{amount}-{rng.randint(0, 13)}", "infinity",
             f"P{amount}Y{amount}M{amount}DT{amount}H{amount}M{amount}S", f"P{amount}W", f"PT{amount}S",
             f"P{amount}-{rng.randint(0, 13)}-{rng.randint(0, 32)}T{_clock(rng)}", "P", "PT", amount,
             f"{amount}:{rng.randint(0, 70):02}", "-infinity", "178000000 years", "2147483647 days"]  # fmt: skip
    return rng.choice(forms)


def uuid(rng: Random) -> str:
    """Makes a UUID: canonical, without hyphens, in braces, or in other groups that Postgres takes."""
    digits = rng.randbytes(16).hex()
    plain = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    fours = "-".join(digits[i : i + 4] for i in range(0, 32, 4))
    forms = [plain, plain, plain, plain.upper(), digits, f"{{{plain}}}", fours, plain[:-1], f"{{{plain}",
             plain.replace("-", "", 1), plain + "0", digits + "-", f"urn:uuid:{plain}",
             plain.replace("a", "g"), f"{digits[:8]}-{digits[8:]}", "0" * 32]  # fmt: skip
    return rng.choice(forms)


def json(rng: Random, depth: int = 0) -> str:
    """Makes JSON: nested, with escapes, duplicate keys, and blanks where JSON allows them."""
    roll = rng.randrange(9 if depth < 3 else 5)
    if roll == 0:
        return number(rng)
    if roll < 3:
        return rng.choice(
            ["true", "false", "null", "0", "-1", "1.5e3", "[]", "{}", "01", "1.", "NaN"]
        )
    if roll < 5:
        escapes = ["\\n", "\\u0041", "\\u0000", "\\ud83d\\ude00", "\\ud83d", "\\ude00", "\\x", "\\/", '\\"',
                   "a", "ü", "😀", " ", "\t", "\\"]  # fmt: skip
        return '"' + "".join(rng.choices(escapes, k=rng.randint(0, 3))) + '"'
    items = [json(rng, depth + 1) for _ in range(rng.randint(0, 3))]
    gap = rng.choice(["", " ", "\n", "\t"])
    if roll < 7:
        return f"[{gap}{(',' + gap).join(items)}{gap}]"
    return "{" + ",".join(f'"{rng.choice("abc")}"{gap}:{item}' for item in items) + gap + "}"


def inet(rng: Random) -> str:
    """Makes an address of either family, with or without a mask."""
    four = ".".join(str(rng.choice([rng.randrange(256), 0, 255, 256, 10])) for _ in range(4))
    six = ":".join(f"{rng.randrange(65536):x}" for _ in range(8))
    base = rng.choice(
        [four, four, six, "::", "::1", f"::ffff:{four}", "fe80::1", "1::2::3", four[:-2]]
    )
    return base + rng.choice(
        ["", "", f"/{rng.randint(0, 34)}", f"/{rng.randint(0, 130)}", "/", "%eth0"]
    )


MOODS = ["sad", "ok", "happy", "very happy", "ünder", "it's", 'a "b"', "null", "", "Ok", "x" * 63]


def mood(rng: Random) -> str:
    """Chooses a label of the enum `mood`, or a text that is nearly one."""
    return rng.choice([*MOODS, "bad", "happy ", " ok", "OK", "x" * 64])


def array(of: TextGenerator) -> TextGenerator:
    """Makes array literals: quoted, with NULLs, nested, or with bounds."""

    def element(rng: Random) -> str:
        roll = rng.randrange(8)
        text = of(rng)
        if roll == 0:
            return rng.choice(["NULL", "null", '"NULL"', "", '""', "{1,2}", " NULL "])
        if roll < 4:
            return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return text

    def generate(rng: Random) -> str:
        items = [element(rng) for _ in range(rng.choice([0, 1, 1, 2, 3, 5]))]
        text = "{" + rng.choice([",", ",", ", ", " , "]).join(items) + "}"
        return (
            rng.choice(["[0:1]=", "[1:2]=", "[5:5]=", "[1:0]="]) + text
            if rng.random() < 0.05
            else text
        )

    return with_mutations(generate)


def without(pattern: str, texts: TextGenerator) -> TextGenerator:
    """Makes texts until one does not match the pattern."""

    def generate(rng: Random) -> str:
        while re.search(pattern, text := texts(rng)):
            pass
        return text

    return generate


GENERATORS: dict[str, TextGenerator] = {
    "smallint": integer(16),
    "integer": integer(32),
    "bigint": integer(64),
    "numeric(15,2)": numeric(15, 2),
    "numeric(38,10)": numeric(38, 10),
    "numeric(5,5)": numeric(5, 5),
    "numeric(20,-3)": numeric(20, 0),
    "numeric(3,5)": numeric(5, 5),
    "numeric(60,10)": numeric(60, 10),
    "numeric": with_mutations(number),
    "real": with_mutations(number),
    "double precision": with_mutations(number),
    "boolean": with_mutations(boolean),
    "text": words(12),
    "varchar": words(12),
    "varchar(5)": words(6),
    "char": words(2),
    "char(3)": words(4),
    "bytea": with_mutations(bytea),
    "date": with_mutations(_day),
    "time": with_mutations(clock),
    "time(2)": with_mutations(clock),
    "timetz": with_mutations(zoned_clock),
    "timestamp": with_mutations(moment),
    "timestamp(3)": with_mutations(moment),
    "timestamptz": with_mutations(zoned_moment),
    "timestamptz(0)": with_mutations(zoned_moment),
    "interval": with_mutations(interval),
    "interval(2)": with_mutations(interval),
    "uuid": with_mutations(uuid),
    "json": with_mutations(json),
    "jsonb": with_mutations(json),
    "inet": with_mutations(inet),
    "law.mood": with_mutations(mood),
    "law.small": integer(16),
    "law.short": words(6),
    "integer[]": array(integer(32)),
    "text[]": array(words(5)),
    "date[]": array(with_mutations(_day)),
    # Staging reads an array without the precision of its elements. So it refuses {1e-40000}, which
    # Postgres reads as {0.00}. This is the one known difference: an error, never another value.
    "numeric(5,2)[]": without(r"[eE]-\d{5}", array(numeric(5, 2))),
    "varchar(5)[]": array(words(6)),
}
