"""Files of known dialects and types, for tests of what `landfall sniff` proposes."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

WORDS = {
    "utf-8": "Köln Zürich naïve coffee table north street-lamp Łódź señor".split(),
    "utf-16": "Köln Zürich naïve coffee table north Łódź señor".split(),
    "cp1252": "Köln Zürich naïve coffee table garçon señor München Straße".split(),
    "shift_jis": "東京 大阪 カメラ ノート さくら 青い 名古屋".split(),
    "gb18030": "北京 上海 电脑 桌子 苹果 绿色 深圳".split(),
    "cp1251": "Москва Казань стол яблоко зелёный окно дверь".split(),
}
DATES = {"DMY": "%d/%m/%Y", "MDY": "%m/%d/%Y", "YMD": "%Y-%m-%d", "dots": "%d.%m.%Y"}
TYPES = ("integer", "numeric", "text", "date", "timestamp", "boolean", "code", "quoted text")


@dataclass
class Known:
    """A file, the options that it was written with, and the types of its columns."""

    data: bytes
    options: dict[str, Any]
    types: list[str]


def known_file(rng: Random) -> Known:
    """Makes a file of a random dialect."""
    encoding = rng.choice(["utf-8"] * 4 + ["utf-16", "cp1252", "shift_jis", "gb18030", "cp1251"])
    delimiter = rng.choice([",", ";", "\t", "|", "||", "\x01"])
    options: dict[str, Any] = {
        "delimiter": delimiter,
        "encoding": encoding,
        "header": rng.random() < 0.75,
        "decimal": "," if delimiter != "," and rng.random() < 0.4 else ".",
        "dates": rng.choice(list(DATES)),
        "quote": rng.choice(['"', '"', '"', "'"]),
        "escape": rng.choice(["doubled", "doubled", "backslash"]),
        "newline": rng.choice(["\n", "\r\n"]),
    }
    types = ["integer", *(rng.choice(TYPES) for _ in range(rng.randint(2, 7)))]
    rng.shuffle(types)
    rows = [[_cell(rng, each, options) for each in types] for _ in range(rng.randint(30, 120))]
    if options["header"]:
        rows.insert(0, [f"{each.replace(' ', '_')}_{at}" for at, each in enumerate(types)])
    return Known(_written(rows, options, rng).encode(encoding), options, types)


def _cell(rng: Random, column_type: str, options: dict[str, Any]) -> str:
    words = WORDS[options["encoding"]]
    day = date(2020, 1, 1) + timedelta(days=rng.randint(0, 2000))
    match column_type:
        case "integer":
            return str(rng.randint(1, 50_000))
        case "numeric":
            return f"{rng.uniform(-2000, 2000):.2f}".replace(".", options["decimal"])
        case "date":
            return day.strftime(DATES[options["dates"]])
        case "timestamp":
            moment = datetime.combine(day, datetime.min.time()) + timedelta(
                minutes=rng.randint(0, 1439)
            )
            return moment.strftime(DATES[options["dates"]] + " %H:%M:%S")
        case "boolean":
            return rng.choice(["true", "false"])
        case "code":
            return f"{rng.randint(0, 9999):06}"
        case "quoted text":
            mark = options["quote"] if rng.random() < 0.3 else ""
            return f"{rng.choice(words)}{options['delimiter']} {mark}{rng.choice(words)}{mark}"
    return " ".join(rng.choice(words) for _ in range(rng.randint(1, 4)))


def _written(rows: list[list[str]], options: dict[str, Any], rng: Random) -> str:
    quote, delimiter = options["quote"], options["delimiter"]
    escape = quote * 2 if options["escape"] == "doubled" else "\\" + quote
    all_quoted = rng.random() < 0.2
    lines = []
    for row in rows:
        cells = [
            quote + cell.replace(quote, escape) + quote
            if all_quoted or delimiter in cell or quote in cell
            else cell
            for cell in row
        ]
        lines.append(delimiter.join(cells))
    return options["newline"].join(lines) + options["newline"]


def as_python_csv(rows: list[list[str]], **options: Any) -> bytes:
    """Writes rows with Python's csv."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", **options).writerows(rows)
    return text.getvalue().encode()
