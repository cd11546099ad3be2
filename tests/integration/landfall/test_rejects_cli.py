"""The commands for rejects: look, edit, dismiss, expire, replay, forget."""

from __future__ import annotations

import csv
import io
import json
import re
from types import SimpleNamespace

import pytest
import yaml

from include.landfall.cli import main as cli
from tests.support.kept_rejects import keep_load, keep_reject


@pytest.fixture
def shell(engine, connections, tmp_path, capsys):
    """Runs a command for the engine's feed; returns exit code, standard output and error."""
    path, edited = tmp_path / "t.yaml", tmp_path / "edited.csv"

    def run(command, *more):
        path.write_text(yaml.safe_dump(engine.feed.model_dump(by_alias=True), sort_keys=False))
        code = cli.main([command, "--feed", str(path), *more])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return SimpleNamespace(run=run, edited=edited, engine=engine)


@pytest.fixture
def rejects(engine):
    """Three open rejects of a file with five rows: a bad cell, a NULL, a row with three fields."""
    load_id = keep_load(engine, rows=2, rejected=3)
    return load_id, [
        keep_reject(engine, load_id, {"id": "x", "name": "a"}, row=1),
        keep_reject(
            engine, load_id, {"id": None, "name": ""}, row=2, reason="null", raw=',""',
            message="a cell is NULL in a column that takes none",
        ),
        keep_reject(
            engine, load_id, None, row=3, column=None, reason="fields", raw='3,"b,c",d',
            message="the row has 3 fields, not 2",
        ),
    ]  # fmt: skip


def test_a_person_sees_file_id_line_column_reason_message_and_row(shell, rejects):
    _, ids = rejects
    code, out, err = shell.run("rejects")
    head, file, first, row, *others = out.splitlines()
    assert (code, err) == (0, "")
    assert head == "t -> raw.t: 3 open rejects (1 cell, 1 fields, 1 null)"
    assert file == "a.csv"
    assert first == f"  id {ids[0]}  line 2, column id: cell: invalid input syntax"
    assert row == "      x,a"
    assert others[-1] == '      3,"b,c",d'


def test_rejects_of_all_states_show_their_state(shell, rejects):
    _, ids = rejects
    shell.run("rejects", "--dismiss", str(ids[1]))
    out = shell.run("rejects", "--state", "all")[1]
    states = ["open", "dismissed", "open"]
    assert all(f"  id {n} ({state})  " in out for n, state in zip(ids, states, strict=True))


@pytest.mark.parametrize(
    ("options", "number"),
    [
        ([], 3), (["--reason", "fields"], 1), (["--object", "a.csv"], 3),
        (["--state", "dismissed"], 0), (["--state", "all", "--reason", "cell"], 1),
    ],
)  # fmt: skip
def test_rejects_are_chosen_by_object_reason_and_state(shell, rejects, options, number):
    code, out, _ = shell.run("rejects", "--json", *options)
    assert (code, len(out.splitlines())) == (0, number)


def test_a_program_gets_every_fact_of_a_reject(shell, rejects):
    load_id, ids = rejects
    _, out, _ = shell.run("rejects", "--json", "--reason", "null")
    reject = json.loads(out)
    assert (reject["reject_id"], reject["load_id"], reject["line"]) == (ids[1], load_id, 3)
    assert (reject["raw"], reject["cells"]) == (',""', {"id": None, "name": ""})


def test_without_a_ledger_and_without_rejects_there_is_nothing_to_show(shell):
    assert shell.run("rejects") == (0, "t: no open rejects\n", "")
    assert shell.run("rejects", "--expire")[:2] == (0, "t: nothing deleted (older than 90 days)\n")
    assert shell.run("replay") == (0, "t: no open rejects\n", "")


def test_rejects_go_out_as_csv_with_null_and_empty_text_apart(shell, rejects):
    _, ids = rejects
    code, out, _ = shell.run("rejects", "--csv")
    assert code == 0
    assert out.splitlines() == [
        "reject_id,line,reason,message,id,name",
        f"{ids[0]},2,cell,id: invalid input syntax,x,a",
        f'{ids[1]},3,null,id: a cell is NULL in a column that takes none,,""',
        f'{ids[2]},4,fields,"the row has 3 fields, not 2",3,"b,c",d',
    ]


def test_corrected_rows_come_back_in_and_the_loop_is_closed(shell, rejects):
    load_id, _ = rejects
    _, out, _ = shell.run("rejects", "--csv")
    shell.edited.write_text(
        out.replace(",x,a", ',1,"a ""quoted"" one\nof two lines"').replace(
            ',3,"b,c",d', ',3,"b,c,d"'
        )
    )
    code, out, _ = shell.run("replay", "--file", str(shell.edited))
    assert (code, out.splitlines()) == (0, [f"replayed       a.csv  3 rows (load {load_id})"])
    query = "SELECT id, name FROM raw.t WHERE id IS NULL OR id < 1000 ORDER BY id"
    assert shell.engine.sql(query) == [
        (1, 'a "quoted" one\nof two lines'), (3, "b,c,d"), (None, ""),
    ]  # fmt: skip
    code, out, _ = shell.run("replay", "--file", str(shell.edited))  # the same file once more
    assert (code, "3 rows already replayed or closed" in out) == (0, True)
    assert shell.engine.sql("SELECT rows, rejected FROM landfall.ledger") == [(5, 0)]


def test_a_row_with_the_wrong_number_of_fields_is_left_out_and_the_others_go_in(shell, rejects):
    _, ids = rejects
    _, out, _ = shell.run("rejects", "--csv")
    shell.edited.write_text("\ufeff" + out.replace(",x,a", ",1,a"), newline="\r\n")
    code, out, _ = shell.run("replay", "--file", str(shell.edited), "--json")
    assert (code, json.loads(out)["rows"]) == (5, 2)
    code, out, _ = shell.run("replay", "--file", str(shell.edited))
    assert f"left out       reject {ids[2]}, line 4: 3 fields, not 2" in out


EDITED = {
    "no such file": (None, ["cannot be read"]),
    "other columns": ("id,name\n1,a\n", ["not one of rejects", "reject_id, line", "line: 1"]),
    "semicolons": ("reject_id;line;reason;message;id;name\n", ["with commas between"]),
    "a column missing": ("reject_id,line,reason,message,id\n", ["missing: 'name'"]),
    "no id": ("reject_id,line,reason,message,id,name\n,,,,1,a\n", ["no id", "line: 2"]),
    "an id twice": ("reject_id,line,reason,message,id,name\n1,,,,1,a\n1,,,,1,a\n", ["twice"]),
    "an open quote": ('reject_id,line,reason,message,id,name\n1,,,,1,"a\n', ["quote", "line: 2"]),
    "a quote inside": ('reject_id,line,reason,message,id,name\n1,,,,1,a"b\n', ["quote"]),
    "Latin-1": (b"reject_id,line,reason,message,id,name\n1,,,,1,\xfc\n", ["not UTF-8"]),
    "a zero byte": ("reject_id,line,reason,message,id,name\n1,,,,1,\0\n", ["zero byte"]),
}


@pytest.mark.parametrize("what", EDITED)
def test_a_file_that_is_not_one_of_rejects_is_refused_whole(shell, rejects, what):
    text, words = EDITED[what]
    if text is not None:
        shell.edited.write_bytes(text if isinstance(text, bytes) else text.encode())
    code, out, err = shell.run("replay", "--file", str(shell.edited))
    assert (code, out) == (2 if text is None else 5, "")
    assert [word for word in [*words, str(shell.edited)] if word not in err] == []
    assert shell.engine.sql("SELECT DISTINCT state FROM landfall.rejects") == ["open"]


def test_a_replay_tells_what_is_refused_again_and_what_is_left_out(shell, rejects):
    code, out, _ = shell.run("replay")
    replayed, again, left, how = out.splitlines()
    assert (code, replayed.split()[1:4]) == (5, ["a.csv", "1", "row"])
    assert again.split() == ["refused", "again", "a.csv", "1", "cell"]
    assert "left out" in left
    assert "not cut into cells" in left
    assert "landfall rejects --csv" in how


@pytest.mark.parametrize("keep", ["cut", "hashed"])
def test_a_feed_that_keeps_no_cells_says_so(shell, engine, keep):
    engine.be(rejects={"keep": keep})
    reject_id = keep_reject(engine, keep_load(engine, rejected=1), None, raw="1,a")
    code, out, _ = shell.run("replay")
    assert (code, f"rejects.keep: {keep}" in out) == (5, True)
    _, out, _ = shell.run("rejects", "--csv")
    assert out.splitlines()[1].startswith(f"{reject_id},2,cell,id: invalid input syntax")
    assert "1,a" not in out


def test_a_feed_that_keeps_only_the_number_says_so(shell, engine):
    engine.be(rejects={"keep": "count"})
    keep_load(engine, rejected=1)
    assert "rejects.keep: count" in shell.run("replay")[1]


def test_dismissed_rejects_are_settled_by_a_name_all_or_none(shell, rejects):
    _, ids = rejects
    code, _, err = shell.run("rejects", "--dismiss", str(ids[0]), "999")
    assert (code, "not every id is an open reject" in err, "999" in err) == (2, True, True)
    code, out, _ = shell.run("rejects", "--dismiss", *map(str, ids[:2]))
    assert (code, out) == (0, "t: 2 dismissed\n")
    settled = shell.engine.sql(
        "SELECT settled_by FROM landfall.rejects WHERE state = 'dismissed' AND settled_at < now()"
    )
    assert len(settled) == 2
    assert "@" in settled[0]
    assert shell.engine.sql("SELECT rejected FROM landfall.ledger") == [3]
    assert "1 open reject (1 fields)" in shell.run("rejects")[1]


def test_rejects_older_than_the_feed_says_are_deleted_whatever_their_state(shell, rejects):
    _, ids = rejects
    shell.engine.be(rejects={"days": 30})
    shell.engine.sql(
        "UPDATE landfall.rejects SET rejected_at = now() - interval '31 days' WHERE reject_id < %s",
        ids[2],
    )
    shell.run("rejects", "--dismiss", str(ids[0]))
    code, out, _ = shell.run("rejects", "--expire")
    assert (code, out) == (0, "t: 1 dismissed, 1 open deleted (older than 30 days)\n")
    assert shell.engine.sql("SELECT reject_id FROM landfall.rejects") == [ids[2]]


def test_expire_never_deletes_more_than_its_options_choose(shell, rejects):
    """With --object it once deleted the old rejects of all objects."""
    _, ids = rejects
    shell.engine.sql("UPDATE landfall.rejects SET rejected_at = now() - interval '1 year'")
    code, out, err = shell.run("rejects", "--expire", "--object", "b.csv", "--reason", "null")
    assert (code, out) == (2, "")
    assert "--expire cannot be used with --object and --reason" in err
    assert "what to do: landfall rejects --feed" in err
    assert shell.engine.sql("SELECT count(*) FROM landfall.rejects") == [len(ids)]


@pytest.mark.parametrize("choice", [["--object", "b.csv"], ["--reason", "check"]])
def test_replay_passes_over_no_corrected_row_because_of_another_option(shell, rejects, choice):
    _, out, _ = shell.run("rejects", "--csv")
    shell.edited.write_text(out.replace(",x,a", ",1,a"))
    code, out, err = shell.run("replay", "--file", str(shell.edited), *choice)
    assert (code, out) == (2, "")
    assert f"--file cannot be used with {choice[0]}" in err
    assert shell.engine.sql("SELECT DISTINCT state FROM landfall.rejects") == ["open"]


@pytest.mark.parametrize(
    ("delimiter", "quote", "raw", "fields"),
    [
        (";", "'", "1;'a;b';c", ["1", "a;b", "c"]),
        (",", '"', '1,"never closed, at all\n2,b', ["1", "never closed, at all\n2,b"]),
        (",", '"', '1,"a"b,', ["1", "ab", ""]),
        (",", '"', "", [""]),
        ("\t", '"', "1\tNA", ["1", ""]),
    ],
)
def test_a_row_that_cannot_be_cut_is_written_as_far_as_it_goes(
    shell, engine, delimiter, quote, raw, fields
):
    engine.be(format={"delimiter": delimiter, "quote": quote, "nulls": ["NA"]})
    keep_reject(engine, keep_load(engine, rejected=1), None, raw=raw, reason="fields")
    _, out, _ = shell.run("rejects", "--csv")
    _, row = csv.reader(io.StringIO(out))
    assert row[4:] == fields


def test_forget_takes_rows_rejects_and_the_ledgers_rows_away(shell, rejects, engine):
    keep_load(engine, rows=3, key="b.csv")
    keep_load(engine, key="a.csv", status="superseded", etag="older")
    shell.run("replay")
    code, out, _ = shell.run("forget", "--object", "a.csv")
    assert (code, out) == (
        0, "forgotten      a.csv  3 rows, 3 rejects, 1 replay, 2 ledger rows\n"
    )  # fmt: skip
    assert engine.sql("SELECT key FROM landfall.ledger") == ["b.csv"]
    assert engine.sql("SELECT count(*) FROM raw.t") == [3]
    assert (
        engine.sql("SELECT 1 FROM landfall.rejects UNION ALL SELECT 1 FROM landfall.replays") == []
    )
    code, _, err = shell.run("forget", "--object", "a.csv")
    assert (code, "the ledger has no such object" in err) == (4, True)
    assert f"s3://{engine.bucket}/a.csv" in err


def test_forget_without_a_ledger_and_with_a_table_that_is_gone(shell, engine):
    assert shell.run("forget", "--object", "a.csv")[0] == 4
    keep_load(engine, rows=3)
    engine.sql("DROP TABLE raw.t")
    code, out, _ = shell.run("forget", "--object", "a.csv", "--gone", "--json")
    assert (code, json.loads(out)["rows"], json.loads(out)["entries"]) == (0, 0, 1)


def test_forget_leaves_all_when_the_rows_are_elsewhere_or_cannot_be_deleted(shell, engine):
    keep_load(engine, rows=3)
    engine.sql("CREATE RULE kept AS ON DELETE TO raw.t DO INSTEAD NOTHING")
    code, _, err = shell.run("forget", "--object", "a.csv")
    assert (code, "stay in raw.t" in err) == (2, True)
    engine.be(table="raw.other")
    code, _, err = shell.run("forget", "--object", "a.csv")
    assert (code, "the file is loaded into raw.t" in err) == (2, True)
    assert engine.sql("SELECT count(*) FROM landfall.ledger") == [1]


def test_plan_says_what_would_be_loaded_in_which_order_and_why(shell, engine):
    engine.be(source={"bucket": engine.bucket, "pattern": "in/*.csv"})
    for key in ("in/loaded.csv", "in/changed.csv", "in/failed.csv", "in/new.csv", "in/a.txt"):
        engine.put("id,name\n1,a\n", key)
    engine.put("", "in/_SUCCESS")
    etag = engine.client.head_object(Bucket=engine.bucket, Key="in/new.csv")["ETag"].strip('"')
    for key, status, version in (
        ("in/loaded.csv", "loaded", etag), ("in/changed.csv", "loaded", "other"),
        ("in/failed.csv", "failed", etag),
    ):  # fmt: skip
        keep_load(engine, key=key, status=status, etag=version)
    engine.sql("UPDATE landfall.ledger SET size = 12 WHERE key = 'in/loaded.csv'")
    before = engine.sql("SELECT l::text FROM landfall.ledger AS l")
    code, out, _ = shell.run("plan", "--json")
    planned = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [(each["action"], each["key"], each["reason"]) for each in planned[:3]] == [
        ("load", "in/changed.csv", "changed"), ("load", "in/new.csv", "new"),
        ("load", "in/failed.csv", "failed"),
    ]  # fmt: skip
    assert {(each["action"], each["key"], each["reason"]) for each in planned[3:]} == {
        ("skip", "in/loaded.csv", "loaded"), ("skip", "in/a.txt", "other_name"),
        ("skip", "in/_SUCCESS", "marker"),
    }  # fmt: skip
    _, out, _ = shell.run("plan")
    assert "load  in/failed.csv" in out
    assert "skip  1  its name does not match source.pattern: in/a.txt" in out
    assert engine.sql("SELECT l::text FROM landfall.ledger AS l") == before


def test_plan_of_a_feed_that_waits_or_whose_newest_file_is_the_table(shell, engine):
    engine.be(source={"bucket": engine.bucket, "pattern": "*.csv", "settle_seconds": 3600})
    engine.put("id,name\n", "a.csv")
    assert "load and Airflow wait" in run_plan(shell, engine)
    engine.be(disposition="replace")
    keep_load(engine, key="b.csv")
    engine.sql("UPDATE landfall.ledger SET last_modified = now() + interval '1 day'")
    assert "a newer file is loaded already: a.csv" in run_plan(shell, engine)


def test_status_says_to_what_the_rows_of_a_replay_have_lost(shell, engine):
    target = {"table": "raw.t", "disposition": "replace", "replace_where": ["name"]}
    engine.be(target=target, rejects={"at_most": 1})
    engine.load("id,name\n1,jan\nx,jan\n", "1.csv")
    engine.load("id,name\n9,jan\n", "2.csv")
    engine.be(columns={"id": "text", "name": "text"}, target=target)
    engine.sql("ALTER TABLE raw.t ALTER id TYPE text")
    assert shell.run("replay")[0] == 0
    out = shell.run("status")[1]
    assert "1 row lost to a later file, which replaced their part of the table" in out
    assert "key" not in out


def run_plan(shell, engine):
    code, out, err = shell.run("plan")
    assert (code, err, "nothing to load" in out) == (0, "", True)
    return out


@pytest.mark.parametrize("command", ["rejects", "replay"])
def test_a_wrong_filter_is_no_success(shell, rejects, command):
    code, _, err = shell.run(command, "--reason", "celll")
    assert (code, "no reason 'celll'" in err, "cell, fields, null" in err) == (2, True, True)
    code, _, err = shell.run(command, "--object", "nope.csv")
    assert (code, "found: nope.csv" in err, "rejects are of a.csv" in err) == (4, True, True)
    for reason in ("unique", "no_value"):  # there may be such rejects one day
        assert shell.run(command, "--reason", reason)[0] == 0


def test_of_a_file_that_was_refused_whole_the_rows_are_found_from_the_error(shell):
    shell.engine.put("id,name\nx,a\nx,b\n1,c,d\n")
    code, _, err = shell.run("load")
    assert code == 5
    assert "error budget: 0 rows a file (rejects.at_most in the feed)" in err
    assert re.search(r"to see the rows: landfall rejects --feed \S+ --state sample", err)
    hint = "3 rows of files that were refused whole: --state sample"
    assert hint in shell.run("rejects")[1]
    assert hint not in shell.run("rejects", "--state", "dismissed")[1]


def test_validate_shows_the_first_row_of_each_message_and_what_to_do(shell):
    shell.engine.put("id,name\nx,a\nx,b\n1,c,d\n" + "x,d\n" * 30)
    code, out, _ = shell.run("validate")
    assert (code, out.splitlines()[1:]) == (5, [
        '    line 2, column id: cell: invalid input syntax for type integer: "x"',
        "    line 4: fields: the row has 3 fields, not 2",
        "    and 31 more; in all 32 cell, 1 fields",
        "    what to do: ask the sender to correct the cell, or declare a type that takes it",
    ])  # fmt: skip
