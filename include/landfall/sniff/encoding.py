"""Which encoding a file's bytes are in. Only UTF-8 and byte order marks are certain."""

from __future__ import annotations

import codecs
import re

from include.landfall.sniff.findings import Finding

MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# What is common in texts of the encoding, as characters beyond ASCII.
COMMON = {
    "shift_jis": r"[\u3040-\u30ff\u4e00-\u9fff\u3000-\u303f\uff01-\uff5e]",
    "gb18030": r"[\u4e00-\u9fff\u3000-\u303f\uff00-\uff5e]",
    "euc_kr": r"[\uac00-\ud7a3\u3000-\u303f]",
    "cp1251": r"[\u0400-\u045f\u2116\xa0\xab\xbb\u2013\u2014]",
    "cp1252": r"[\xc0-\xff\xa0-\xbf\u20ac\u2013\u2014\u2018-\u201e\u2022\u0152\u0153]",
}
# Where two are equally good: East Asian codes also decode most Western text, by pairs.
RANKS = {"cp1252": 0.9, "shift_jis": 1.0, "gb18030": 0.95, "euc_kr": 0.95, "cp1251": 0.9}
LEAST_EVIDENCE = 0.6


def encoding_of(data: bytes, *, is_whole: bool) -> Finding:
    """Returns the encoding of a file that begins so, or that is so when `is_whole`."""
    for mark, name in MARKS.items():
        if data.startswith(mark):
            return Finding(name, "the byte order mark")
    if wide := _wide(data[:4096]):
        return Finding(wide, "every other byte is zero")
    if data.isascii():
        doubts = [] if is_whole else ["no letter beyond ASCII in what was read"]
        return Finding("utf-8", "ASCII alone", doubts)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data, final=is_whole)
        return Finding("utf-8", "its letters beyond ASCII are UTF-8")
    except UnicodeDecodeError as error:
        return _legacy(data, error)


def _wide(data: bytes) -> str | None:
    even, odd = data[::2].count(0), data[1::2].count(0)
    half = max(1, len(data) // 2)
    if odd > half * 0.6 and even < half * 0.1:
        return "utf-16-le"
    if even > half * 0.6 and odd < half * 0.1:
        return "utf-16-be"
    return None


def _legacy(data: bytes, error: UnicodeDecodeError) -> Finding:
    scores = {name: _score(data, name) * RANKS[name] for name in COMMON}
    best = max(scores, key=lambda name: scores[name])
    if scores[best] < LEAST_EVIDENCE and _mostly_utf8(data):
        doubt = (
            f"some bytes are no UTF-8, the first is byte {error.start:,}; their rows are rejects"
        )
        return Finding("utf-8", "most letters beyond ASCII are UTF-8", [doubt])
    others = sorted((n for n in scores if n != best and scores[n] > 0.3), key=lambda n: -scores[n])
    more = f"; perhaps {' or '.join(others)}" if others else ""
    doubt = f"bytes alone do not tell an encoding: look at the letters in the rows below{more}"
    return Finding(
        best, f"byte {error.start:,} is no UTF-8, and {best} gives likely letters", [doubt]
    )


def _score(data: bytes, name: str) -> float:
    """Returns which share of the characters beyond ASCII is common in the encoding."""
    try:
        text = codecs.getincrementaldecoder(name)().decode(data, final=False)
    except UnicodeDecodeError:
        return 0.0
    beyond = re.findall(r"[^\x00-\x7f]", text)
    likely = [each for each in beyond if re.match(COMMON[name], each)]
    share = len(likely) / max(1, len(beyond))
    return share * 0.5 if name != "cp1252" and _is_western(text, name) else share


def _is_western(text: str, name: str) -> bool:
    """Returns whether letters stand within words of ASCII letters: other scripts make words.

    A euro sign and a sharp s are Cyrillic letters in cp1251, which alone are no words.
    """
    runs = re.findall(r"([A-Za-z]?)[^\x00-\x7f]+([A-Za-z]?)", text)
    touching = sum(bool(before or after) for before, after in runs)
    has_words = name != "cp1251" or re.search(r"[\u0400-\u045f]{3}", text)
    return touching > 0.3 * len(runs) or not has_words


def _mostly_utf8(data: bytes) -> bool:
    text = data.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    return bad * 4 < len(re.findall(r"[^\x00-\x7f\ufffd]", text))
