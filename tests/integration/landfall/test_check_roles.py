"""The part of check about the privileges of the database role, and what to do about each."""

from __future__ import annotations

import pytest

from include.landfall.cli import main as cli
from include.landfall.ledger.entries import create_ledger
from include.landfall.postgres.connection import connect
from tests.support.checked import SECRET, check, execute, feed, role

__all__ = ["check", "feed", "role"]


def test_a_role_without_temporary(check, role, warehouse):
    execute(warehouse, "REVOKE TEMPORARY ON DATABASE $db FROM PUBLIC")
    done = check()
    assert done.code == 3
    wanted = f"what to do: GRANT TEMPORARY ON DATABASE {warehouse.dbname} TO {role}"
    assert done.of("warehouse").endswith(wanted)


def do(line):
    """The SQL that a line gives as what to do."""
    return line.split("what to do: ")[1]


def test_a_role_that_cannot_make_the_ledger_and_what_to_do_helps(check, role, warehouse):
    done = check()
    assert done.code == 3
    assert "there is no ledger, and the role may not make its schema" in done.of("warehouse")
    execute(warehouse, *do(done.of("warehouse")).split(";"))
    assert "there is no schema raw, and the role may not make it" in check().of("warehouse")
    execute(warehouse, *do(check().of("warehouse")).split(";"))
    assert check().of("warehouse").endswith("ledger: the first load makes it")


@pytest.mark.parametrize(
    "granted",
    [
        "",
        "GRANT USAGE ON SCHEMA landfall TO",
        "GRANT SELECT, INSERT, UPDATE ON landfall.ledger TO",
        "GRANT USAGE ON SCHEMA landfall TO $role; GRANT SELECT, INSERT ON landfall.ledger TO",
    ],
)
def test_a_role_that_may_not_write_the_ledger_and_what_to_do_helps(
    check, role, warehouse, wrong, feed, client, bucket, granted
):
    wrong()
    client.put_object(Bucket=bucket, Key="things/1.csv", Body=b"id\n1\n")
    assert cli.main(["load", "--feed", str(feed)]) == 0
    if granted:
        execute(warehouse, *f"{granted} {role}".replace("$role", role).split(";"))
    wrong(database={"user": role, "password": SECRET})
    done = check()
    assert done.code == 3
    assert "the role may not use the ledger" in done.of("warehouse")
    execute(warehouse, *do(done.of("warehouse")).split(";"))
    done = check()
    assert "the role may not fill raw.things" in done.of("warehouse")
    execute(warehouse, *do(done.of("warehouse")).split(";"))
    assert check().of("warehouse").endswith("ledger: there")


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("REVOKE DELETE ON landfall.rejects FROM", "may not write rejects, replays, changes and"),
        ("REVOKE INSERT ON landfall.changes FROM", "may not write rejects, replays, changes and"),
        ("REVOKE DELETE ON landfall.replaced FROM", "may not write rejects, replays, changes and"),
        ("REVOKE INSERT ON landfall.replays FROM", "may not write rejects, replays, changes and"),
        ("DROP TABLE landfall.rejects, landfall.replays, landfall.changes, landfall.replaced;"
         " REVOKE ALL ON landfall.ledger FROM",
         "the role may not use the ledger"),
        ("DROP TABLE landfall.rejects, landfall.replays, landfall.changes, landfall.replaced;"
         " REVOKE DELETE ON landfall.ledger FROM",
         "lacks tables or columns of this version, and the role may not add them"),
        ("ALTER TABLE landfall.ledger DROP COLUMN failed_at; REVOKE DELETE ON landfall.ledger FROM",
         "lacks tables or columns of this version, and the role may not add them"),
        # As an earlier version said it. But the rejects must be the role's own too.
        ("ALTER TABLE landfall.ledger DROP COLUMN failed_at; ALTER TABLE landfall.ledger OWNER TO",
         "lacks tables or columns of this version, and the role may not add them"),
    ],
)  # fmt: skip
def test_a_role_that_may_not_write_rejects_and_what_to_do_helps(
    check, role, warehouse, feed, client, bucket, missing, message
):
    with connect(warehouse) as connection:
        create_ledger(connection)
    execute(
        warehouse,
        f"GRANT USAGE, CREATE ON SCHEMA landfall TO {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA landfall TO {role}",
        *f"{missing} {role}".split(";"),
    )
    done = check()
    assert (done.code, message in done.of("warehouse")) == (3, True)
    for _ in range(3):  # of a ledger of an earlier version, one thing comes after the other
        if (line := check().of("warehouse")).startswith("FAILED"):
            execute(warehouse, *do(line).split(";"))
    assert check().of("warehouse").split("ledger: ")[1] in ("there", UPGRADED)
    client.put_object(Bucket=bucket, Key="things/1.csv", Body=b"id\n1\n")
    assert cli.main(["load", "--feed", str(feed)]) == 0


UPGRADED = "the first load brings it up to date"


def test_the_role_of_the_readme_may_load(check, role, warehouse, feed, client, bucket):
    """A load needs no more than `check` asks for, and docs/operations.md grants it."""
    execute(
        warehouse,
        f"GRANT CONNECT, TEMPORARY ON DATABASE $db TO {role}",
        f"CREATE SCHEMA landfall AUTHORIZATION {role}",
        f"CREATE SCHEMA raw AUTHORIZATION {role}",
    )
    assert check().code == 0
    client.put_object(Bucket=bucket, Key="things/1.csv", Body=b"id\n1\n")
    assert cli.main(["load", "--feed", str(feed)]) == 0


def test_a_role_that_may_only_read_is_told(check, role, warehouse):
    execute(warehouse, f"ALTER ROLE {role} SET default_transaction_read_only = on")
    done = check()
    assert done.code != 0
    assert "default_transaction_read_only to off" in done.of("warehouse")
