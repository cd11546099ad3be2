"""Feeds as their owners write them."""

from __future__ import annotations

TEXT = """\
feed: flights
description: Departures from New York
owner: data-team
schedule: "@hourly"
source:
  connection: landing
  bucket: landing
  pattern: flights/*.csv*
format: {type: csv, nulls: [NA]}
target:
  connection: warehouse
  table: raw.flights
  disposition: append
columns:
  year: smallint
  time_hour: timestamptz
  tailnum: {type: text, nullable: true, description: Registration of the aircraft}
checks:
  rows: {at_least: 1}
  year: {minimum: 0}
"""


SHORT = """\
feed: flights
source: {bucket: landing, pattern: flights/*}
target: {table: raw.flights}
columns: {year: smallint}
"""
