"""The part of check about the privileges of the database role, and what to do about each."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

import pytest

from include.landfall.cli import main as cli
from include.landfall.errors import ServerUnavailable
from include.landfall.ledger.entries import create_ledger
from include.landfall.postgres.connection import connect
from tests.support.checked import SECRET, check, execute, feed, role, write

__all__ = ["check", "feed", "role"]
OPERATIONS = Path(__file__).parents[3] / "docs/operations.md"


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


@pytest.fixture
def roles(warehouse):
    """The roles of docs/operations.md, by the names that they have there, without any right yet."""
    names = {name: f"{name}_{uuid.uuid4().hex[:8]}" for name in ("loader", "shop", "on_call")}
    execute(warehouse, "REVOKE ALL ON DATABASE $db FROM PUBLIC")
    execute(warehouse, *(f"CREATE ROLE {n} LOGIN PASSWORD '{SECRET}'" for n in names.values()))
    yield names
    for name in reversed(names.values()):
        execute(warehouse, f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def sql_of(heading, roles):
    """The statements of the first block below a heading of the page, for these roles."""
    section = OPERATIONS.read_text().split(f"## {heading}\n")[1]
    (block,) = re.findall(r"```sql\n(.*?)```", section, re.DOTALL)[:1]
    text = re.sub(r"--.*", "", block).replace("DATABASE warehouse", "DATABASE $db")
    for name, made in roles.items():
        text = re.sub(rf"\b{name}\b", made, text)
    return [each for each in text.split(";") if each.strip()]


def test_each_role_of_the_page_may_do_what_it_says(roles, warehouse, wrong, feed, client, bucket):
    for heading in (
        "Connections and rights", "Several projects in one database", "A role that only looks",
    ):  # fmt: skip
        execute(warehouse, *sql_of(heading, roles))

    def run(role, command, path=feed):
        wrong(database={"user": roles[role], "password": SECRET})
        return cli.main([command, "--feed", str(path)])

    client.put_object(Bucket=bucket, Key="things/1.csv", Body=b"id\n1\n")
    assert [run("loader", command) for command in ("check", "load")] == [0, 0]
    other = feed.with_name("shop_things.yaml")
    pattern, target = {"pattern": "things/*"}, {"table": f"{roles['shop']}.things"}
    write(other, bucket, source=pattern, target=target)
    assert [run("shop", command, other) for command in ("check", "load")] == [0, 0]
    client.put_object(Bucket=bucket, Key="things/2.csv", Body=b"id\n2\n")
    looks = ("status", "plan", "rejects", "audit")
    assert [run("on_call", command) for command in looks] == [0] * len(looks)
    assert run("on_call", "load") == ServerUnavailable.exit_code


def test_a_role_that_may_only_read_is_told(check, role, warehouse):
    execute(warehouse, f"ALTER ROLE {role} SET default_transaction_read_only = on")
    done = check()
    assert done.code != 0
    assert "default_transaction_read_only to off" in done.of("warehouse")
