"""Random texts of days, times, zones and intervals, valid ones and ones that are nearly valid."""
# ruff: noqa: E501

from __future__ import annotations

from random import Random

from tests.support.number_texts import digits, sign


def day_text(rng: Random) -> str:
    """Makes a day, by ISO 8601 or as people and Postgres write it."""
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
    part = rng.choice(["", "", "", ".", "." + "9" * rng.randint(1, 9), f".{digits(rng, 8)}",
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
    return text + _zone(rng) if roll == 0 else f"{day_text(rng)} {text}" if roll == 1 else text


def zoned_clock(rng: Random) -> str:
    """Makes a time of day, in most cases with a zone."""
    return _clock(rng) + (_zone(rng) if rng.random() < 0.85 else "")


def moment(rng: Random) -> str:
    """Makes a day with a time, sometimes with a zone."""
    roll = rng.randrange(10)
    if roll == 0:
        return day_text(rng)
    text = day_text(rng) + rng.choice([" ", " ", " ", "T", "T", "t", "  ", ""]) + _clock(rng)
    return text + rng.choice(["", "", " BC", " AD"]) if roll < 6 else text + _zone(rng)


def zoned_moment(rng: Random) -> str:
    """Makes a day with a time, in most cases with a zone."""
    text = day_text(rng) + rng.choice([" ", " ", " ", "T", "T", "  "]) + _clock(rng)
    return text + (_zone(rng) if rng.random() < 0.85 else rng.choice(["", " BC", " BC+01"]))


def interval(rng: Random) -> str:
    """Makes an interval: by units, as ISO 8601, or as a time."""
    units = ["year", "years", "mon", "months", "week", "day", "days", "hours", "min", "m", "s", "sec",
             "ms", "us", "century", "decade", "millennium", "y", "d", "h"]  # fmt: skip
    amount = rng.choice([digits(rng, 3), digits(rng, 12), f"{digits(rng, 3)}.{digits(rng, 8)}"])
    phrases = [f"{sign(rng)}{amount} {rng.choice(units)}" for _ in range(rng.randint(1, 3))]
    forms = [" ".join(phrases), " ".join(phrases) + " ago", f"@ {phrases[0]}", _clock(rng),
             f"{sign(rng)}{amount} {_clock(rng)}", f"{amount}-{rng.randint(0, 13)}", "infinity",
             f"P{amount}Y{amount}M{amount}DT{amount}H{amount}M{amount}S", f"P{amount}W", f"PT{amount}S",
             f"P{amount}-{rng.randint(0, 13)}-{rng.randint(0, 32)}T{_clock(rng)}", "P", "PT", amount,
             f"{amount}:{rng.randint(0, 70):02}", "-infinity", "178000000 years", "2147483647 days"]  # fmt: skip
    return rng.choice(forms)
