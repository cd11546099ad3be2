"""Random cell texts of each type: valid ones, ones that are nearly valid, and hostile ones.

Each type has a grammar around its valid forms, and text_mutations.py spoils a share of its texts.
The test seeds the one generator of random numbers.
"""
# Long lists of texts stay on long lines, and they need letters of other alphabets.
# ruff: noqa: E501, RUF001

from __future__ import annotations

import re
from random import Random

from tests.support.number_texts import integer, number, numeric
from tests.support.text_mutations import TextGenerator, with_mutations
from tests.support.time_texts import clock, day_text, interval, moment, zoned_clock, zoned_moment


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
    "date": with_mutations(day_text),
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
    "date[]": array(with_mutations(day_text)),
    # Staging reads an array without the precision of its elements. So it refuses {1e-40000}, which
    # Postgres reads as {0.00}. This is the one known difference: an error, never another value.
    "numeric(5,2)[]": without(r"[eE]-\d{5}", array(numeric(5, 2))),
    "varchar(5)[]": array(words(6)),
}
