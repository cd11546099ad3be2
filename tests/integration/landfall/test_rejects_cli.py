"""The command `rejects`: look, edit, dismiss, expire; and where the others name rejects."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

from tests.support.kept_rejects import keep_load, keep_reject


def test_a_person_sees_file_id_line_column_reason_message_and_row(engine_shell, rejects):
    _, ids = rejects
    code, out, err = engine_shell.run("rejects")
    head, file, first, row, *others = out.splitlines()
    assert (code, err) == (0, "")
    assert head == "t -> raw.t: 3 open rejects (1 cell, 1 fields, 1 null)"
    assert file == "a.csv"
    assert first == f"  id {ids[0]}  line 2, column id: cell: invalid input syntax"
    assert row == "      x,a"
    assert others[-1] == '      3,"b,c",d'


def test_rejects_of_all_states_show_their_state(engine_shell, rejects):
    _, ids = rejects
    engine_shell.run("rejects", "--dismiss", str(ids[1]))
    out = engine_shell.run("rejects", "--state", "all")[1]
    states = ["open", "dismissed", "open"]
    assert all(f"  id {n} ({state})  " in out for n, state in zip(ids, states, strict=True))


@pytest.mark.parametrize(
    ("options", "number"),
    [
        ([], 3), (["--reason", "fields"], 1), (["--object", "a.csv"], 3),
        (["--state", "dismissed"], 0), (["--state", "all", "--reason", "cell"], 1),
    ],
)  # fmt: skip
def test_rejects_are_chosen_by_object_reason_and_state(engine_shell, rejects, options, number):
    code, out, _ = engine_shell.run("rejects", "--json", *options)
    assert (code, len(out.splitlines())) == (0, number)


def test_a_program_gets_every_fact_of_a_reject(engine_shell, rejects):
    load_id, ids = rejects
    _, out, _ = engine_shell.run("rejects", "--json", "--reason", "null")
    reject = json.loads(out)
    assert (reject["reject_id"], reject["load_id"], reject["line"]) == (ids[1], load_id, 3)
    assert (reject["raw"], reject["cells"]) == (',""', {"id": None, "name": ""})


def test_without_a_ledger_and_without_rejects_there_is_nothing_to_show(engine_shell):
    assert engine_shell.run("rejects") == (0, "t: no open rejects\n", "")
    assert engine_shell.run("rejects", "--expire")[:2] == (
        0,
        "t: nothing deleted (older than 90 days)\n",
    )
    assert engine_shell.run("replay") == (0, "t: no open rejects\n", "")


def test_rejects_go_out_as_csv_with_null_and_empty_text_apart(engine_shell, rejects):
    _, ids = rejects
    code, out, _ = engine_shell.run("rejects", "--csv")
    assert code == 0
    assert out.splitlines() == [
        "reject_id,line,reason,message,id,name",
        f"{ids[0]},2,cell,id: invalid input syntax,x,a",
        f'{ids[1]},3,null,id: a cell is NULL in a column that takes none,,""',
        f'{ids[2]},4,fields,"the row has 3 fields, not 2",3,"b,c",d',
    ]


def test_dismissed_rejects_are_settled_by_a_name_all_or_none(engine_shell, rejects):
    _, ids = rejects
    code, _, err = engine_shell.run("rejects", "--dismiss", str(ids[0]), "999")
    assert (code, "not every id is an open reject" in err, "999" in err) == (2, True, True)
    code, out, _ = engine_shell.run("rejects", "--dismiss", *map(str, ids[:2]))
    assert (code, out) == (0, "t: 2 dismissed\n")
    settled = engine_shell.engine.sql(
        "SELECT settled_by FROM landfall.rejects WHERE state = 'dismissed' AND settled_at < now()"
    )
    assert len(settled) == 2
    assert "@" in settled[0]
    assert engine_shell.engine.sql("SELECT rejected FROM landfall.ledger") == [3]
    assert "1 open reject (1 fields)" in engine_shell.run("rejects")[1]


def test_rejects_older_than_the_feed_says_are_deleted_whatever_their_state(engine_shell, rejects):
    _, ids = rejects
    engine_shell.engine.be(rejects={"days": 30})
    engine_shell.engine.sql(
        "UPDATE landfall.rejects SET rejected_at = now() - interval '31 days' WHERE reject_id < %s",
        ids[2],
    )
    engine_shell.run("rejects", "--dismiss", str(ids[0]))
    code, out, _ = engine_shell.run("rejects", "--expire")
    assert (code, out) == (0, "t: 1 dismissed, 1 open deleted (older than 30 days)\n")
    assert engine_shell.engine.sql("SELECT reject_id FROM landfall.rejects") == [ids[2]]


def test_expire_never_deletes_more_than_its_options_choose(engine_shell, rejects):
    """With --object it once deleted the old rejects of all objects."""
    _, ids = rejects
    engine_shell.engine.sql("UPDATE landfall.rejects SET rejected_at = now() - interval '1 year'")
    code, out, err = engine_shell.run(
        "rejects", "--expire", "--object", "b.csv", "--reason", "null"
    )
    assert (code, out) == (2, "")
    assert "--expire cannot be used with --object and --reason" in err
    assert "what to do: landfall rejects --feed" in err
    assert engine_shell.engine.sql("SELECT count(*) FROM landfall.rejects") == [len(ids)]


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
    engine_shell, engine, delimiter, quote, raw, fields
):
    engine.be(format={"delimiter": delimiter, "quote": quote, "nulls": ["NA"]})
    keep_reject(engine, keep_load(engine, rejected=1), None, raw=raw, reason="fields")
    _, out, _ = engine_shell.run("rejects", "--csv")
    _, row = csv.reader(io.StringIO(out))
    assert row[4:] == fields


@pytest.mark.parametrize("command", ["rejects", "replay"])
def test_a_wrong_filter_is_no_success(engine_shell, rejects, command):
    code, _, err = engine_shell.run(command, "--reason", "celll")
    assert (code, "no reason 'celll'" in err, "cell, fields, null" in err) == (2, True, True)
    code, _, err = engine_shell.run(command, "--object", "nope.csv")
    assert (code, "found: nope.csv" in err, "rejects are of a.csv" in err) == (4, True, True)
    for reason in ("unique", "no_value"):  # there may be such rejects one day
        assert engine_shell.run(command, "--reason", reason)[0] == 0


def test_of_a_file_that_was_refused_whole_the_rows_are_found_from_the_error(engine_shell):
    engine_shell.engine.put("id,name\nx,a\nx,b\n1,c,d\n")
    code, _, err = engine_shell.run("load")
    assert code == 5
    assert "error budget: 0 rows a file (rejects.at_most in the feed)" in err
    assert re.search(r"to see the rows: landfall rejects --feed \S+ --state sample", err)
    hint = "3 rows of files that were refused whole: --state sample"
    assert hint in engine_shell.run("rejects")[1]
    assert hint not in engine_shell.run("rejects", "--state", "dismissed")[1]


def test_validate_shows_the_first_row_of_each_message_and_what_to_do(engine_shell):
    engine_shell.engine.put("id,name\nx,a\nx,b\n1,c,d\n" + "x,d\n" * 30)
    code, out, _ = engine_shell.run("validate")
    assert (code, out.splitlines()[1:]) == (5, [
        '    line 2, column id: cell: invalid input syntax for type integer: "x"',
        "    line 4: fields: the row has 3 fields, not 2",
        "    and 31 more; in all 32 cell, 1 fields",
        "    what to do: ask the sender to correct the cell, or declare a type that takes it",
    ])  # fmt: skip
