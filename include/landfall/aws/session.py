"""Sessions of botocore with the identity of a store: its key, its profile, its role."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from botocore.credentials import CredentialResolver
from botocore.exceptions import PartialCredentialsError
from botocore.loaders import Loader, create_loader
from botocore.session import Session

from include.landfall.aws.roles import RoleProvider
from include.landfall.connections import Store

DEFAULT_REGION = "us-east-1"


def make_session(store: Store, network: Mapping[str, Any]) -> Session:
    """Makes a session whose clients have the store's identity, and renew it in time.

    A role is taken on at the first request, and again before its key ends: sessions of any age,
    and loads of any length, can use it. `network` are the options of Config with which STS is
    asked.

    Raises: botocore's errors when the profile or the key is not complete.
    """
    source = _with_key(_session(store), store)
    if store.role is None:
        return source
    session = _session(store)
    provider = RoleProvider(store.role, source, region_of(store, source), network)
    session.register_component("credential_provider", CredentialResolver([provider]))
    return session


def region_of(store: Store, session: Session | None = None) -> str:
    """Returns the store's region: the connection's, that of AWS's own settings, or us-east-1.

    A session of the store spares the time that a new one takes.

    Raises: botocore's errors when the profile does not exist.
    """
    if store.region:
        return store.region
    # boto3 reads AWS_DEFAULT_REGION and the profile. Other programs of AWS read AWS_REGION.
    of_settings = (session or _session(store)).get_config_variable("region")
    return of_settings or os.environ.get("AWS_REGION") or DEFAULT_REGION


def _session(store: Store) -> Session:
    session = Session(profile=store.profile)
    descriptions = _descriptions(session.get_config_variable("data_path"))
    session.register_component("data_loader", descriptions)
    return session


def _with_key(session: Session, store: Store) -> Session:
    if store.access_key and store.secret_key:
        session.set_credentials(store.access_key, store.secret_key, store.session_token)
    elif store.access_key or store.secret_key or store.session_token:
        missing = "login" if store.secret_key else "password"
        raise PartialCredentialsError(provider="connection", cred_var=missing)
    return session


@cache
def _descriptions(data_path: str | None) -> Loader:
    """Reads botocore's descriptions once. Otherwise each client takes 0.2 s for that of S3."""
    return create_loader(data_path)
