"""Why rows are rejected: the codes, and what a person can do about each."""

from __future__ import annotations

# What a person can do about a row of this reason.
WHAT_TO_DO = {
    "fields": "quote a field that holds the delimiter, or correct the row",
    "quote": "close the quote, or double it where it belongs to the text",
    "carriage_return": "quote the field, or write line ends as LF",
    "encoding": "convert the file, for instance: iconv -f LATIN1 -t UTF-8",
    "zero_byte": "write the file again without it (UTF-16 files are full of them)",
    "too_long": "close the quote that may be open, or keep such large texts elsewhere",
    "cell": "ask the sender to correct the cell, or declare a type that takes it",
    "null": "ask the sender, or let the column be NULL: take nullable: false out of the feed, and"
    " let the table take it (ALTER COLUMN … DROP NOT NULL)",
    "json": "ask the sender for the row as one JSON object; where an object has several lines, or a"
    " line several objects, write objects: concatenated under format:; where an array under a key"
    " has the rows, write rows: under format:",
    "duplicate_key": "ask the sender for objects that have each key once",
    "other_key": "name the column in the feed, or write contract: {new_columns: rescue}, which"
    " keeps such keys, or other_keys: ignore under format:, which drops them; where the key holds"
    " all rows, write rows: under format:, and where it is a row's id, ids:",
    "path": "correct format.paths in the feed, or ask the sender for the object at that key",
    "no_value": "correct the cell in the workbook, and save it so that formulas are calculated",
    "short": "correct the line, or write ragged: pad under format:",
    "rest": "correct the line, or write rest: ignore under format:",
}
# What Postgres refuses. For every other reason the row is refused while the file is read.
BY_POSTGRES = {"cell", "null", "check", "unique", "foreign_key", "exclusion", "row"}
REASONS = BY_POSTGRES | WHAT_TO_DO.keys()
