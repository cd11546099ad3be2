"""The command `replay`: what goes in, what is refused again, and which files it takes."""

from __future__ import annotations

import json

import pytest

from tests.support.kept_rejects import keep_load, keep_reject


def test_corrected_rows_come_back_in_and_the_loop_is_closed(engine_shell, rejects):
    load_id, _ = rejects
    _, out, _ = engine_shell.run("rejects", "--csv")
    engine_shell.edited.write_text(
        out.replace(",x,a", ',1,"a ""quoted"" one\nof two lines"').replace(
            ',3,"b,c",d', ',3,"b,c,d"'
        )
    )
    code, out, _ = engine_shell.run("replay", "--file", str(engine_shell.edited))
    assert (code, out.splitlines()) == (0, [f"replayed       a.csv  3 rows (load {load_id})"])
    query = "SELECT id, name FROM raw.t WHERE id IS NULL OR id < 1000 ORDER BY id"
    assert engine_shell.engine.sql(query) == [
        (1, 'a "quoted" one\nof two lines'), (3, "b,c,d"), (None, ""),
    ]  # fmt: skip
    code, out, _ = engine_shell.run(
        "replay", "--file", str(engine_shell.edited)
    )  # the same file once more
    assert (code, "3 rows already replayed or closed" in out) == (0, True)
    assert engine_shell.engine.sql("SELECT rows, rejected FROM landfall.ledger") == [(5, 0)]


def test_a_row_with_the_wrong_number_of_fields_is_left_out_and_the_others_go_in(
    engine_shell, rejects
):
    _, ids = rejects
    _, out, _ = engine_shell.run("rejects", "--csv")
    engine_shell.edited.write_text("\ufeff" + out.replace(",x,a", ",1,a"), newline="\r\n")
    code, out, _ = engine_shell.run("replay", "--file", str(engine_shell.edited), "--json")
    assert (code, json.loads(out)["rows"]) == (5, 2)
    code, out, _ = engine_shell.run("replay", "--file", str(engine_shell.edited))
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
def test_a_file_that_is_not_one_of_rejects_is_refused_whole(engine_shell, rejects, what):
    text, words = EDITED[what]
    if text is not None:
        engine_shell.edited.write_bytes(text if isinstance(text, bytes) else text.encode())
    code, out, err = engine_shell.run("replay", "--file", str(engine_shell.edited))
    assert (code, out) == (2 if text is None else 5, "")
    assert [word for word in [*words, str(engine_shell.edited)] if word not in err] == []
    assert engine_shell.engine.sql("SELECT DISTINCT state FROM landfall.rejects") == ["open"]


def test_a_replay_tells_what_is_refused_again_and_what_is_left_out(engine_shell, rejects):
    code, out, _ = engine_shell.run("replay")
    replayed, again, left, how = out.splitlines()
    assert (code, replayed.split()[1:4]) == (5, ["a.csv", "1", "row"])
    assert again.split() == ["refused", "again", "a.csv", "1", "cell"]
    assert "left out" in left
    assert "not cut into cells" in left
    assert "landfall rejects --csv" in how


@pytest.mark.parametrize("keep", ["cut", "hashed"])
def test_a_feed_that_keeps_no_cells_says_so(engine_shell, engine, keep):
    engine.be(rejects={"keep": keep})
    reject_id = keep_reject(engine, keep_load(engine, rejected=1), None, raw="1,a")
    code, out, _ = engine_shell.run("replay")
    assert (code, f"rejects.keep: {keep}" in out) == (5, True)
    _, out, _ = engine_shell.run("rejects", "--csv")
    assert out.splitlines()[1].startswith(f"{reject_id},2,cell,id: invalid input syntax")
    assert "1,a" not in out


def test_a_feed_that_keeps_only_the_number_says_so(engine_shell, engine):
    engine.be(rejects={"keep": "count"})
    keep_load(engine, rejected=1)
    assert "rejects.keep: count" in engine_shell.run("replay")[1]


@pytest.mark.parametrize("choice", [["--object", "b.csv"], ["--reason", "check"]])
def test_replay_passes_over_no_corrected_row_because_of_another_option(
    engine_shell, rejects, choice
):
    _, out, _ = engine_shell.run("rejects", "--csv")
    engine_shell.edited.write_text(out.replace(",x,a", ",1,a"))
    code, out, err = engine_shell.run("replay", "--file", str(engine_shell.edited), *choice)
    assert (code, out) == (2, "")
    assert f"--file cannot be used with {choice[0]}" in err
    assert engine_shell.engine.sql("SELECT DISTINCT state FROM landfall.rejects") == ["open"]


def test_status_says_to_what_the_rows_of_a_replay_have_lost(engine_shell, engine):
    target = {"table": "raw.t", "disposition": "replace", "replace_where": ["name"]}
    engine.be(target=target, rejects={"at_most": 1})
    engine.load("id,name\n1,jan\nx,jan\n", "1.csv")
    engine.load("id,name\n9,jan\n", "2.csv")
    engine.be(columns={"id": "text", "name": "text"}, target=target)
    engine.sql("ALTER TABLE raw.t ALTER id TYPE text")
    assert engine_shell.run("replay")[0] == 0
    out = engine_shell.run("status")[1]
    assert "1 row lost to a later file, which replaced their part of the table" in out
    assert "key" not in out
