"""Tokens that sign in to a database of RDS in place of a password."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from botocore.exceptions import BotoCoreError

from include.landfall.aws.errors import refusal
from include.landfall.aws.session import make_session, region_of
from include.landfall.connections import Store


def rds_token(store: Store, host: str, port: int, user: str) -> str:
    """Makes a token for this user of the database at host:port.

    It is signed with the store's key, and nothing is sent for it. Where the store has a role, that
    is taken on first.

    Raises: LandfallError when there is no key to sign with.
    """
    try:
        session = make_session(store, {})
        rds: Any = session.create_client("rds", region_name=region_of(store))
        with closing(rds):
            return str(rds.generate_db_auth_token(host, port, user))
    except BotoCoreError as error:
        raise refusal(
            f"no token can be made for {user}@{host}", error, do="check aws_conn_id and its key"
        ) from None
