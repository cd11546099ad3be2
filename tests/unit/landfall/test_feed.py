"""A feed's file is read as its owner meant it; else the error names file, line and field."""

from __future__ import annotations

import json

import jsonschema
import pytest
import yaml

from include.landfall.feed.model import Feed
from include.landfall.feed.schema import schema
from include.landfall.feed.yaml_file import read_folder
from tests.support.feed_texts import SHORT, TEXT


def test_a_feed_as_its_owner_writes_it(read_yaml):
    feed = read_yaml(TEXT)
    assert (feed.name, feed.target.table, feed.format.nulls) == ("flights", "raw.flights", ["NA"])
    assert feed.columns["year"].type == "smallint"
    assert feed.columns["tailnum"].description == "Registration of the aircraft"


def test_every_default_is_the_safe_one(read_yaml):
    feed = read_yaml(SHORT)
    assert (feed.source.connection, feed.target.connection) == ("landing", "warehouse")
    assert (feed.target.disposition, feed.format.type, feed.format.nulls) == ("append", "csv", [])
    assert (feed.columns["year"].nullable, feed.schedule, feed.checks) == (True, "@hourly", {})


@pytest.mark.parametrize("value", ["parquet", "{type: parquet}"])
def test_a_format_can_be_written_as_its_name(read_yaml, value):
    assert read_yaml(SHORT + f"format: {value}\n").format.type == "parquet"


def test_yaml_s_surprises_stay_text(read_yaml):
    feed = read_yaml(SHORT.replace("{year: smallint}", "{on: text, no: text, y: date}")
                + "format: {nulls: [NO, off, 2013-01-01]}\n")  # fmt: skip
    assert list(feed.columns) == ["on", "no", "y"]
    assert feed.format.nulls == ["NO", "off", "2013-01-01"]


def test_one_broken_file_hides_no_other_and_a_name_is_taken_once(tmp_path):
    (tmp_path / "a.yaml").write_text(SHORT)
    (tmp_path / "b.yml").write_text("feed: [")
    (tmp_path / "c.yaml").write_text(SHORT)
    (tmp_path / "d.yaml").write_text(SHORT.replace("feed: flights", "feed: planes"))
    (tmp_path / "notes.txt").write_text("not a feed")
    folder = read_folder(tmp_path)
    assert [feed.name for feed in folder.feeds] == ["flights", "planes"]
    assert {path.name for path in folder.broken} == {"b.yml", "c.yaml"}
    assert "a.yaml has the name 'flights' already" in str(folder.broken[tmp_path / "c.yaml"])


def test_the_schema_takes_what_the_model_takes_and_refuses_what_it_refuses(read_yaml):
    made = json.loads(json.dumps(schema()))
    jsonschema.Draft202012Validator.check_schema(made)
    validator = jsonschema.Draft202012Validator(made)
    for text in (TEXT, SHORT, SHORT + "format: parquet\n", SHORT + "format: {nulls: [NA]}\n"):
        assert read_yaml(text)
        assert list(validator.iter_errors(yaml.safe_load(text))) == []
    for text in (TEXT + "contracts: {}\n", TEXT.replace("append", "upsert"), "feed: x\n"):
        assert list(validator.iter_errors(yaml.safe_load(text))) != []
    names = [field.alias or name for name, field in Feed.model_fields.items()]
    assert list(made["properties"]) == names


CONTRACT = """\
contract: {new_columns: rescue, missing_columns: null, types: widen, row_shape: pad,
           case: ignore, trim: true, rescue: spare}
columns:
  year: {type: smallint, from: [Jahr, annee], on_bad_cell: null}
  note: {ignore: true}
  day: {type: date, from_key: 'dt=(\\S+)/'}
  file: {type: text, from_object: key}
"""


def test_every_key_of_the_contract_is_read_and_is_in_the_schema(read_yaml):
    text = SHORT.replace("columns: {year: smallint}\n", CONTRACT)
    feed = read_yaml(text)
    assert list(feed.table_columns) == ["year", "day", "file", "spare"]
    assert (feed.contract.missing_columns, feed.columns["year"].on_bad_cell) == ("null", "null")
    assert feed.columns["year"].other_names == ["Jahr", "annee"]
    assert Feed.model_validate(feed.model_dump(mode="json")) == feed
    validator = jsonschema.Draft202012Validator(json.loads(json.dumps(schema())))
    assert list(validator.iter_errors(yaml.safe_load(text))) == []
    for wrong in ("{from: [x]}", "{ignore: false}", "{type: date, from: x}"):
        broken = yaml.safe_load(text.replace("{ignore: true}", wrong))
        assert list(validator.iter_errors(broken)) != [], wrong


def test_fault_2_2_a_feed_with_checks_comes_back_from_the_values_that_a_trigger_keeps(read_yaml):
    feed = read_yaml(TEXT)
    assert Feed.model_validate(feed.model_dump(mode="json")) == feed


def test_fault_4_9_yaml_s_own_merge_key_works(read_yaml):
    feed = read_yaml(
        TEXT.replace(
            "  tailnum: {type: text, nullable: true, description: Registration of the aircraft}",
            "  tailnum: &text {type: text, nullable: true}\n  origin: {<<: *text, nullable: false}",
        )
    )
    assert (feed.columns["origin"].type, feed.columns["origin"].nullable) == ("text", False)
