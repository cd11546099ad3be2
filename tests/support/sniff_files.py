"""Files of known dialects and types, for tests of what `landfall sniff` proposes.

Half of them are plain tables. The others have what real files have beside: cells without a value,
lines before and behind the table, few rows, line breaks within quotes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

WORDS = {
    "utf-8-sig": "Köln Zürich naïve coffee table north lamp Łódź señor".split(),
    "utf-16-le": "Köln Zürich naïve coffee table north Łódź señor".split(),
    "utf-8": "Köln Zürich naïve coffee table north lamp Łódź señor".split(),
    "utf-16": "Köln Zürich naïve coffee table north Łódź señor".split(),
    "cp1252": "Köln Zürich naïve coffee table garçon señor München Straße".split(),
    "shift_jis": "東京 大阪 カメラ ノート さくら 青い 名古屋".split(),
    "gb18030": "北京 上海 电脑 桌子 苹果 绿色 深圳".split(),
    "cp1251": "Москва Казань стол яблоко зелёный окно дверь".split(),
}
ENCODINGS = [*["utf-8"] * 8, "utf-8-sig", "utf-16", "utf-16", "utf-16-le",
             *["cp1252", "shift_jis", "gb18030", "cp1251"] * 2]  # fmt: skip
DATES = {"DMY": "%d/%m/%Y", "MDY": "%m/%d/%Y", "YMD": "%Y-%m-%d", "dots": "%d.%m.%Y"}
ORDERS = {"DMY": "DMY", "MDY": "MDY", "dots": "DMY"}  # the others need none
TYPES = ("integer", "numeric", "text", "date", "timestamp", "boolean", "code", "quoted text")
# What a cell without a value may be. A text column keeps such words.
NULLS = ["", "", "NA", "NULL", "-"]
BREAK = "lines"  # a type of texts with line breaks


@dataclass
class WrittenFile:
    """A file, the options that it was written with, and the types of its columns."""

    data: bytes
    options: dict[str, Any]
    types: list[str]


def random_file(rng: Random) -> WrittenFile:
    """Makes a file of a random dialect."""
    options, is_plain = _options(rng), rng.random() < 0.5
    types = ["integer", *(rng.choice(TYPES) for _ in range(rng.randint(2, 7)))]
    if not is_plain and rng.random() < 0.2:
        types.append(BREAK)
    rng.shuffle(types)
    count = rng.randint(30, 120) if is_plain else rng.choice([5, 12, 40, 200])
    rows = [[_cell(rng, each, options) for each in types] for _ in range(count)]
    if not is_plain:
        _leave_out(rng, rows, types)
    if options["header"]:
        rows.insert(0, [f"{each.replace(' ', '_')}_{at}" for at, each in enumerate(types)])
    text = _written(rows, options, rng)
    if not is_plain:
        text = _surrounded(rng, text, options)
    return WrittenFile(text.encode(options["encoding"]), options, types)


def _options(rng: Random) -> dict[str, Any]:
    delimiter = rng.choice([",", ";", "\t", "|", "||", "\x01"])
    return {
        "delimiter": delimiter,
        "encoding": rng.choice(ENCODINGS),
        "header": rng.random() < 0.75,
        "decimal": "," if delimiter != "," and rng.random() < 0.4 else ".",
        "dates": rng.choice(list(DATES)),
        "quote": rng.choice(['"', '"', '"', "'"]),
        "escape": rng.choice(["doubled", "doubled", "backslash"]),
        "newline": rng.choice(["\n", "\r\n"]),
        "skip_rows": 0,
        "skip_footer": 0,
    }


def _leave_out(rng: Random, rows: list[list[str]], types: list[str]) -> None:
    """Takes the value from some cells of some columns."""
    null = rng.choice(NULLS)
    for at, column_type in enumerate(types):
        if rng.random() < 0.5:
            for row in rng.sample(rows, len(rows) // 6):
                row[at] = "" if column_type in ("text", "quoted text", BREAK) else null


def _surrounded(rng: Random, text: str, options: dict[str, Any]) -> str:
    """Puts lines before and behind the table."""
    end = options["newline"]
    if rng.random() < 0.3:
        options["skip_rows"] = rng.randint(1, 4)
        words = WORDS[options["encoding"]]
        before = [f"Report of {rng.choice(words)}" for _ in range(options["skip_rows"])]
        text = "".join(line + end for line in before) + text
    if rng.random() < 0.2:
        options["skip_footer"] = 1
        text += f"end of the report{end}"
    return text


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
    between = "\n" if column_type == BREAK else " "
    return between.join(rng.choice(words) for _ in range(rng.randint(1, 4)))


def _written(rows: list[list[str]], options: dict[str, Any], rng: Random) -> str:
    quote, delimiter = options["quote"], options["delimiter"]
    escape = quote * 2 if options["escape"] == "doubled" else "\\" + quote
    all_quoted = rng.random() < 0.2
    lines = []
    for row in rows:
        cells = [
            quote + cell.replace(quote, escape) + quote
            if all_quoted or any(each in cell for each in (delimiter, quote, "\n"))
            else cell
            for cell in row
        ]
        lines.append(delimiter.join(cells))
    return options["newline"].join(lines) + options["newline"]
