"""What a feed says of a merge is checked with file, line and field, before any load."""

from __future__ import annotations

import pytest

from include.landfall.errors import FeedError

TEXT = """\
feed: customers
source: {bucket: landing, pattern: customers/*}
target:
  table: raw.customers
  disposition: merge
  key: [region, id]
  strategy: scd2
columns:
  region: text
  id: bigint
  name: text
  at: timestamptz
  op: text
  doc: json
"""


def with_more(line):
    """Returns the feed with one more line in its target."""
    return TEXT.replace("scd2", f"scd2\n  {line}")


UPSERT = TEXT.replace("  strategy: scd2\n", "")

WRONG = [
    (TEXT.replace("merge", "append"), 6, "'target.key'", "disposition: merge, where key"),
    (TEXT.replace("  key: [region, id]\n", ""), 3, "'target.key'", "tell rows apart"),
    (TEXT.replace("[region, id]", "[region, region]"), 6, "'target.key'", "each once"),
    (TEXT.replace("[region, id]", "[regoin]"), 6, "'target.key'", "a column of the feed's table"),
    (TEXT.replace("[region, id]", "[doc]"), 6, "'target.key'", "which those of json cannot"),
    (TEXT.replace("scd2", "scd1"), 7, "'target.strategy'", "one of upsert, delete-insert, scd2"),
    (with_more("newest: when"), 8, "'target.newest'", "a column of the feed's table"),
    (with_more("newest: id"), 8, "'target.newest'", "a column beside the key"),
    (with_more("newest: doc"), 8, "'target.newest'", "which those of json cannot"),
    (TEXT.replace("scd2", "upsert\n  absent: close"), 8, "'target.absent'", "keep or delete"),
    (UPSERT.replace("id]", "id]\n  absent: close"), 7, "'target.absent'", "keep or delete"),
    (with_more("absent: delete"), 8, "'target.absent'", "keep or close, because of strategy: scd2"),
    (with_more("newest: at\n  absent: close"), 9, "'target.absent'", "keep, because of newest"),
    (TEXT.replace("scd2", "upsert\n  newest: at\n  absent: delete"), 9, "'target.absent'",
     "keep, because of newest"),
    (with_more("absent: shut"), 8, "'target.absent'", "'keep', 'close' or 'delete'"),
    (with_more("keep_replaced: 0"), 8, "'target.keep_replaced'", "at least"),
    (with_more("deleted: {column: x, values: [D]}"), 8, "'target.deleted.column'", "a column of"),
    (with_more("deleted: {column: op, values: []}"), 8, "'target.deleted.values'", "at least 1"),
    (with_more("deleted: {colum: op, values: [D]}"), 8,
     "unknown key 'target.deleted.colum'", "did you mean 'column'"),
    *((with_more(f"deleted: {{column: op, values: {values}}}").replace("op: text", f"op: {kind}"),
       8, "'target.deleted.values'", expected)
      for kind, values, expected in (
          ("boolean", "[yes]", "true or false"), ("boolean", "[true, 1]", "true or false"),
          ("smallint", "[1, D]", "a whole number"), ("bigint", "['01']", "a whole number"))),
    (with_more("replace_where: [id]"), 8, "'target.replace_where'", "disposition: replace, where"),
    (TEXT + "  _valid_to: date\n", 15, "'columns._valid_to'", "scd2 adds this one"),
    (TEXT.replace("id: bigint", "id: {type: bigint, on_bad_cell: 'null'}"), 10,
     "'columns.id.on_bad_cell'", "rows are told apart"),
]  # fmt: skip

SNAPSHOT = TEXT.replace("customers/*}", "customers/*/*, snapshot: dir}")
REPLACE = "  disposition: replace\n"
REPLACED = SNAPSHOT.replace(
    "  disposition: merge\n  key: [region, id]\n  strategy: scd2\n", REPLACE
)
WRONG += [
    (REPLACED.replace("customers/*/*", "'*'"), 2, "'source.pattern'", "a folder, because of"),
    (REPLACED.replace("dir}", "file}"), 2, "'source.snapshot'", "'dir'"),
    (REPLACED.replace("dir}", "dir, duplicates: skip}"), 2, "'source.duplicates'",
     "'load' or 'refuse'"),
    (REPLACED.replace("dir}", "dir, member: '*.csv'}"), 2, "'source.member'",
     "each part is one file"),
    (REPLACED + "contract: {new_columns: evolve}\n", 13, "'contract.new_columns'",
     "refuse, ignore or rescue"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "field", "words"), WRONG)
def test_a_wrong_target_is_named_by_file_line_and_field(read_yaml, text, line, field, words):
    with pytest.raises(FeedError) as refused:
        read_yaml(text)
    assert field in refused.value.what
    assert words in str(refused.value)
    assert refused.value.place.line == line


@pytest.mark.parametrize(
    "target",
    [
        "disposition: replace, replace_where: [region]",
        "disposition: merge, key: [id], strategy: upsert, newest: at, keep_replaced: 30",
        "disposition: merge, key: [id], deleted: {column: op, values: [D, 0, true]}",
        "disposition: merge, key: [id], strategy: scd2, absent: close",
        "disposition: merge, key: [id], absent: delete",
        "disposition: merge, key: [id], strategy: delete-insert, absent: delete",
    ],
)
def test_what_goes_together_is_taken(read_yaml, target):
    start, end = TEXT.index("  disposition"), TEXT.index("columns:")
    feed = read_yaml(
        TEXT[:start].replace("target:\n  table: raw.customers\n", "target: {table: raw.customers, ")
        + target + "}\n" + TEXT[end:]
    )  # fmt: skip
    assert feed == type(feed).model_validate(feed.model_dump())


@pytest.mark.parametrize(
    "text",
    [
        REPLACED,
        SNAPSHOT,
        SNAPSHOT.replace("scd2", "scd2\n  absent: close"),
        REPLACED.replace("replace\n", "append\n"),
        REPLACED.replace(REPLACE, f"{REPLACE}  replace_where: [id]\n"),
    ],
    ids=["replace", "scd2", "scd2 of snapshots", "append", "replace_where"],
)
def test_a_folder_can_be_one_file_of_every_disposition(read_yaml, text):
    feed = read_yaml(text)
    assert (feed.source.snapshot, feed.source.prefix) == ("dir", "customers/")


def test_values_that_delete_are_compared_as_postgres_writes_them(read_yaml):
    feed = read_yaml(TEXT.replace("scd2", "scd2\n  deleted: {column: op, values: [D, 0, true]}"))
    assert feed.target.deleted.texts == ["D", "0", "true"]
