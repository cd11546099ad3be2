"""A mistake in a feed is named by file, line and field, with what was meant."""

from __future__ import annotations

import pytest

from include.landfall.errors import FeedError
from include.landfall.feed.yaml_file import read_feed
from tests.support.feed_texts import SHORT, TEXT


def with_contract(keys):
    """The feed with a contract, on line 21."""
    return TEXT + f"contract: {{{keys}}}\n"


def with_column(options):
    """The feed with these options of the column year, on line 15."""
    return TEXT.replace("smallint", options)


# Text of the feed: line, and words of the message.
WRONG = [
    (TEXT.replace("owner:", "ownr:"), 3, ["unknown key 'ownr'", "did you mean 'owner'?"]),
    (TEXT.replace("bucket:", "buckt:"), 7, ["'source.buckt'", "did you mean 'bucket'?"]),
    (TEXT.replace("nulls:", "nuls:"), 9, ["'format.nuls'", "did you mean 'nulls'?"]),
    (TEXT.replace("nullable:", "nulable:"), 17, ["'columns.tailnum.nulable'", "'nullable'"]),
    (TEXT.replace("at_least", "least"), 19, ["'checks.rows.least'", "did you mean 'at_least'?"]),
    (TEXT + "rejects: {atmost: 5}\n", 21, ["'rejects.atmost'", "did you mean 'at_most'?"]),
    (TEXT + "limits: {rows: 5}\n", 21, ["'limits.rows'", "did you mean 'row'?"]),
    (TEXT + "contracts: {}\n", 21, ["unknown key 'contracts'", "expected: one of feed,"]),
    (TEXT.replace("feed: flights\n", "feed: Flights!\n"), 1, ["'feed' is wrong", "Flights!"]),
    (TEXT.replace("  bucket: landing\n", ""), 5, ["'source.bucket' is missing", "add it"]),
    (TEXT.replace("smallint", "smalint(3)"), 15, ["columns.year", "smalint(3)"]),
    (TEXT.replace("smallint", "text; DROP TABLE x"), 15, ["columns.year", "is not a type"]),
    (TEXT.replace("raw.flights", "flights"), 12, ["target.table", "schema.table"]),
    (TEXT.replace("append", "upsert"), 13, ["target.disposition", "upsert"]),
    (TEXT.replace("  year: smallint", "  _load_id: smallint"), 14, ["_load"]),
    (TEXT.replace("  year: {minimum: 0}", "  yaer: {minimum: 0}"), 20,
     ["'checks.yaer' is wrong", "rows, or a column"]),
    (TEXT.replace("  year: {minimum: 0}", "  year: {at_least: 0}"), 20,
     ["'checks.year.at_least'", "minimum, maximum"]),
    (TEXT.replace("  year: {minimum: 0}", "  year: {minimum: 10, maximum: 1}"), 20,
     ["'checks.year.maximum'", "found: 1", "at least minimum, which is 10"]),
    (TEXT.replace("{at_least: 1}", "{at_least: 5, at_most: 1}"), 19, ["'checks.rows.at_most'"]),
    (TEXT.replace('"@hourly"', "every day"), 4, ["'schedule' is wrong", "found: every day"]),
    (TEXT.replace("{minimum: 0}", "{unique: maybe}"), 20, ["expected: true or false"]),
    (SHORT.replace("columns: {", "limits: {row: 100 MB}\ncolumns: {"), None,
     ["found: 100 MB", "expected: at most 8388608 (8 MiB)"]),
    (TEXT.replace("{type: csv,", "{type: xlsx,"), 9, ["format", "xlsx"]),
    # faults 6.4 and 1.16: what could never do anything is refused
    (TEXT.replace("flights/*.csv*", "s3://landing/flights"), 8, ["source.pattern", "bucket"]),
    (TEXT.replace("flights/*.csv*", "/flights/*.csv"), 8, ["source.pattern", "begin with /"]),
    (TEXT.replace("flights/*.csv*", "'flights/{a,b}.csv'"), 8, ["source.pattern", "{a,b}"]),
    (TEXT.replace("flights/*.csv*", "'flights/.*$'"), 8, ["source.pattern", "regular expression"]),
    (TEXT.replace("nulls: [NA]", 'nulls: [""]'), 9, ["format.nulls", "NULL without quotes"]),
    (TEXT.replace("nulls: [NA]", "quote: ','"), 9, ["two different characters"]),
    (TEXT.replace("nulls: [NA]", "delimiter: ''"), 9, ["format.delimiter"]),
    (TEXT + "feed: again\n", 21, ["not YAML", "'feed' stands here twice"]),
    (TEXT.replace("  tailnum:", "  year:"), 17, ["'year' stands here twice"]),
    (TEXT.replace("source:", "source: {"), 7, ["not YAML"]),
    (TEXT.replace("  year: smallint", "  ? [a]\n  : b"), 15, ["not YAML"]),
    # combinations of the contract: each is named with its key, and what was meant
    (with_contract("new_columns: drop"), 21, ["'contract.new_columns' is wrong", "'evolve'"]),
    (with_contract("new_column: ignore"), 21, ["'contract.new_column'", "'new_columns'"]),
    (with_contract("rescue: spare"), 21, ["'contract.rescue' is wrong", "row_shape: pad"]),
    (with_column("{type: text, new_columns: ignore}"), 15, ["unknown key 'columns.year.new"]),
    (with_column("{ignore: false}"), 15, ["'columns.year.type' is missing"]),
    (with_column("{ignore: true, from_object: key}"), 15, ["columns.year.ignore", "ignore alone"]),
    (with_column("{ignore: true, on_bad_cell: 'null'}"), 15, ["columns.year.ignore"]),
    (with_column("{type: date, from_key: dt=.*}"), 15, ["columns.year.from_key", "one group"]),
    (with_column("{type: date, from_key: 'dt=(.*'}"), 15, ["columns.year.from_key", "expression"]),
    (with_column("{type: date, from_key: (.*), from_object: key}"), 15,
     ["columns.year.from_object", "one of from_key and from_object"]),
    (with_column("{type: date, from_key: (.*), from: [x]}"), 15, ["columns.year.from", "object"]),
    (with_column("{type: date, from_object: size, on_bad_cell: 'null'}"), 15, ["on_bad_cell"]),
    (with_column("{type: date, from_object: name}"), 15, ["columns.year.from_object", "'key'"]),
    (with_column("{type: date, nullable: false, on_bad_cell: 'null'}"), 15,
     ["columns.year.on_bad_cell", "on_bad_cell: reject"]),
    (with_column("{type: date, from: [tailnum]}"), 17, ["columns.tailnum", "'year' has it too"]),
    (with_contract("case: ignore").replace("  year: smallint", "  year: smallint\n  Year: text"),
     16, ["columns.Year", "'year' has it too"]),
    (with_contract("new_columns: rescue, rescue: year"), 15, ["columns.year", "jsonb"]),
    *((with_contract(f"new_columns: rescue, rescue: {name}"), 21,
       ["'contract.rescue' is wrong", "a column's name"])
      for name in ("_load_id", "x" * 64, "''")),
    *((with_contract("new_columns: rescue, rescue: year").replace("smallint", f"{{type: {rules}}}"),
       15, ["columns.year", "without rules of its own"])
      for rules in ("jsonb, from_object: key", "jsonb, from: [jahr]", "jsonb, on_bad_cell: null",
                    "jsonb, nullable: false")),
    (TEXT.replace("csv*", "csv*\n  member: '*.x'").replace("{type: csv, nulls: [NA]}", "excel"), 9,
     ["'source.member' is wrong", "files of the format excel are not read from zip files"]),
    (TEXT.replace("csv, nulls: [NA]", "json, paths: {yaer: a.b}"), 9, ["'format.paths.yaer'"]),
    (with_column("{type: date, from: [j]}").replace("csv, nulls: [NA]", "json, paths: {year: a}"),
     15, ["columns.year.from", "the format says where"]),
    (TEXT.replace("csv, nulls: [NA]", "fixed, fields: {yaer: {start: 1, width: 2}}"), 9,
     ["'format.fields' is wrong", "a field for the column year"]),
    *((with_contract(rule).replace("csv, nulls: [NA]", "excel, header: false"), 21,
       ["contract." + rule.split(":")[0], "the names of a file do not count"])
      for rule in ("new_columns: ignore", "missing_columns: null", "case: ignore", "trim: true")),
    (with_column("{type: date, from: [jahr]}").replace("csv, nulls: [NA]", "excel, header: false"),
     15, ["columns.year.from", "the names of a file do not count"]),
    (with_contract("row_shape: pad").replace("{type: csv, nulls: [NA]}", "json"), 21,
     ["contract.row_shape", "names no columns"]),
    (with_contract("missing_columns: null").replace("{type: csv, nulls: [NA]}", "json"), 21,
     ["contract.missing_columns", "names no columns"]),
    (with_column("{ignore: true}").replace("{type: csv, nulls: [NA]}", "json"), 15,
     ["columns.year.ignore", "names no columns"]),
    (with_contract("row_shape: pad").replace("{type: csv, nulls: [NA]}", "parquet"), 21,
     ["contract.row_shape", "the rows of the format parquet"]),
    (with_contract("new_columns: ignore").replace("nulls: [NA]", "columns: by position"), 21,
     ["contract.new_columns", "the names of a file do not count"]),
    (with_column("{type: date, from: [jahr]}").replace("nulls: [NA]", "header: false"), 15,
     ["columns.year.from", "the names of a file do not count"]),
    (SHORT.replace("smallint", "{ignore: true}"), 4, ["columns", "not ignored"]),
    (TEXT.replace("year: smallint", "year: {ignore: true}"), 20, ["rows, or a column"]),
    # what YAML reads otherwise than people mean: a comma within braces, * @ # and ": "
    (with_column("{type: numeric(8,2), nullable: false}"), 15, ['in quotes', '"numeric(8,2)"']),
    (with_column("{type: text, description: one, two}"), 15, ["'columns.year.two'", '"one, two"']),
    (SHORT.replace("smallint", "numeric(8,2), b: numeric(8,2)"), 4, ['"numeric(8,2)"']),
    (TEXT.replace("flights/*.csv*", "*.csv"), 8, ["begins with * in quotes"]),
    (TEXT.replace('"@hourly"', "@hourly"), 4, ["begins with @ in quotes"]),
    (TEXT.replace('"@hourly"', "# by hand"), 4, ["'schedule' has no value", "null", "# begins"]),
    (TEXT.replace("York", "York: all"), 2, ['with ": " in quotes']),
    (TEXT.replace("{type: csv", "{comment: #"), 10, ["bracket of line 9"]),
    (TEXT.replace("{minimum: 0}", '{minimum: "0}'), 20, ["close the quote"]),
    (TEXT.replace("  year:", "\tyear:"), 15, ["indent with spaces"]),
    # what people write who come from other loaders
    (TEXT.replace("append", "merge\n  primary_key: [year]"), 14, ["did you mean 'key'?"]),
    (TEXT.replace("append", "upsert"), 13, ["did you mean merge?"]),
    (TEXT.replace("nulls: [NA]", "sep: ;"), 9, ["did you mean 'delimiter'?"]),
    (TEXT.replace("nulls: [NA]", "compression: gzip"), 9, ["leave it out", "by their content"]),
    (TEXT.replace("{type: csv,", "{type: ndjson,"), 9, ["expected: json, not 'ndjson'"]),
    (TEXT.replace("smallint", "varchar2(3)"), 15, ["did you mean 'varchar'?"]),
    (TEXT.replace("nulls: [NA]", "nulls: [NULL]"), 9, ['expected: a text: "NULL"']),
    (SHORT.replace("year:", "2024:"), 4, ["'columns.2024' is wrong", 'a text: "2024"']),
    (SHORT.replace("{year: smallint}", "[year: smallint]"), 4, ["without dashes"]),
    (TEXT.replace("feed: flights", "feed: my-flights"), 1, ["a-z, 0-9 and _"]),
    (TEXT + "rejects: {at_most: 0.01}\n", 21, ["'rejects.at_most' is wrong", "such as 0.5%"]),
    (TEXT + "rejects: 10\n", 21, ["expected: keys and values: at_most, keep, days"]),
    (TEXT.replace("*.csv*", ""), 8, ["'source.pattern' is wrong", "such as flights/*"]),
    (TEXT.replace("bucket: l", "bucket: s3://l"), 7, ["'source.bucket'", "without s3://"]),
    ("- a\n", None, ["not YAML of a feed"]),
    ("a: &x [*x]\n", None, []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "words"), WRONG)
def test_a_wrong_feed_is_named_by_file_line_and_field(read_yaml, text, line, words):
    with pytest.raises(FeedError) as caught:
        read_yaml(text)
    error = caught.value
    assert error.place.file.endswith("/feed.yaml")
    assert [word for word in words if word not in str(error)] == []
    assert line is None or error.place.line == line


EMPTY = [
    TEXT.replace("nulls: [NA]", "decimal: '.', thousands: '.'"),
    TEXT.replace("nulls: [NA]", "quote: ','"),
    SHORT.replace("year: smallint", ""),
    SHORT.replace("year: smallint", ", ".join(f"c{n}: text" for n in range(1700))),
]


@pytest.mark.parametrize("text", EMPTY)
def test_no_message_has_a_name_with_nothing_behind_it_or_pydantic_s_own_words(read_yaml, text):
    with pytest.raises(FeedError) as caught:
        read_yaml(text)
    lines = str(caught.value).splitlines()
    assert [line for line in lines if line.rstrip().endswith(":")] == []
    assert "should have" not in str(caught.value)


@pytest.mark.parametrize("seconds", [".inf", ".nan", "1.0e+300", "2678401", "-1"])
def test_a_sensor_does_not_wait_for_ever_for_an_object_to_settle(read_yaml, seconds):
    text = SHORT.replace("flights/*}", f"flights/*, settle_seconds: {seconds}}}")
    with pytest.raises(FeedError, match=r"source\.settle_seconds"):
        read_yaml(text)


def test_all_mistakes_of_a_feed_are_told_at_once(read_yaml):
    text = TEXT.replace("nullable:", "nulable:").replace('"@hourly"', "every day")
    with pytest.raises(FeedError) as caught:
        read_yaml(text + "rejects: {at_most: [1, 2, 3], days: many}\n")
    error = caught.value
    assert "unknown key 'columns.tailnum.nulable'" in error.what
    assert [fact[:22] for name, fact in error.more if name == "also"] == [
        "line 4: 'schedule' is ", "line 21: 'rejects.at_m", "line 21: 'rejects.days",
    ]  # fmt: skip
    assert "found: every day; expected: cron such as" in str(error)


def test_one_value_in_the_place_of_a_list_is_told_as_a_list(read_yaml):
    with pytest.raises(FeedError) as caught:
        read_yaml(TEXT.replace("nulls: [NA]", "nulls: NA"))
    assert caught.value.expected == "a list: [NA]"


@pytest.mark.parametrize("name", ["flight", "flights.yml", "fligths.yaml"])
def test_a_feed_file_that_is_not_there_names_the_nearest_one(tmp_path, name):
    (tmp_path / "flights.yaml").write_text(TEXT)
    with pytest.raises(FeedError) as caught:
        read_feed(tmp_path / name)
    assert caught.value.do == f"did you mean {tmp_path}/flights.yaml?"
