"""Commands that would load a file again whose object was moved out of the bucket's prefix."""

from __future__ import annotations

from time import sleep

import pytest

from tests.integration.landfall.test_tidy import AT_ONCE

IDS = "SELECT id FROM raw.things"


@pytest.fixture
def tidied(shell):
    """The command line, with a feed whose one file is loaded and moved away."""
    shell.feed["source"]["loaded_files"] = {"move_to": "loaded/", **AT_ONCE}
    shell.write_feed()
    shell.put("id,day\n1,2026-01-01\n")
    assert shell.run()[0] == shell.run(command="tidy")[0] == 0
    return shell


def test_a_file_that_is_not_in_the_bucket_is_forgotten_only_for_good(tidied):
    forget = ["--object", "things/1.csv"]
    code, _, err = tidied.run(*forget, command="forget")
    assert (code, "nothing could load its rows again" in err) == (2, True)
    assert tidied.query(IDS) == [(1,)]
    assert tidied.run(*forget, "--for-good", command="forget")[0] == 0
    assert tidied.query(IDS) == []


def test_files_that_are_not_in_the_bucket_are_told_when_all_are_loaded_again(tidied):
    tidied.put("id,day\n2,2026-01-02\n", "things/2.csv")
    code, out, err = tidied.run("--force")
    assert (code, "things/2.csv" in out, "things/1.csv" in out) == (0, True, False)
    assert "1 loaded file with 1 row is not in the bucket" in err
    assert "things/1.csv" in err


def test_a_whole_table_that_nothing_in_the_bucket_can_load_is_told(tidied):
    tidied.feed["target"]["disposition"] = "replace"
    tidied.write_feed()
    assert "1 loaded file with 1 row is not in the bucket" in tidied.run("--force")[2]


def test_an_older_file_does_not_become_the_table_because_the_newest_was_moved(tidied):
    tidied.feed["target"]["disposition"] = "replace"
    tidied.write_feed()
    for number in (2, 3):
        sleep(1.01)  # S3 tells times in seconds
        tidied.put(f"id,day\n{number},2026-01-0{number}\n", f"things/{number}.csv")
    assert tidied.run("--key", "things/3.csv")[0] == tidied.run(command="tidy")[0] == 0
    code, _, err = tidied.run("--force")
    assert (code, "things/3.csv" in err, "--key" in err) == (2, True, True)
    assert tidied.query(IDS) == [(3,)]
    assert tidied.run("--force", "--key", "things/2.csv")[0] == 0
