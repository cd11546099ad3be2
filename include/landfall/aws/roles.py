"""Roles of AWS: they are taken on through STS, and renewed before their key ends."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    AssumeRoleWithWebIdentityCredentialFetcher,
    CachedCredentialFetcher,
    CredentialProvider,
    DeferredRefreshableCredentials,
    FileWebIdentityTokenLoader,
)
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from botocore.session import Session

from include.landfall.aws.errors import refusal
from include.landfall.connections import Role
from include.landfall.errors import ConnectionUnusable

TOKEN_FILE = "AWS_WEB_IDENTITY_TOKEN_FILE"  # noqa: S105  a variable's name


class RoleProvider(CredentialProvider):
    """Gives botocore the keys of a role, which it renews some minutes before they end."""

    METHOD = "assume-role"

    def __init__(
        self, role: Role, source: Session, region: str, network: Mapping[str, Any]
    ) -> None:
        super().__init__(source)
        self.role, self.source, self.region, self.network = role, source, region, dict(network)

    def load(self) -> DeferredRefreshableCredentials:
        """Returns keys that are asked for when they are needed."""
        fetcher: list[CachedCredentialFetcher] = []

        def refresh() -> dict[str, Any]:
            try:
                fetcher[:] = fetcher or [self._fetcher()]
                return fetcher[0].fetch_credentials()
            except (BotoCoreError, ClientError, OSError) as error:
                raise self._refusal(error) from None

        return DeferredRefreshableCredentials(refresh, self.METHOD)

    def _fetcher(self) -> CachedCredentialFetcher:
        arguments = dict(self.role.arguments)
        if self.role.web_identity:
            token = FileWebIdentityTokenLoader(self._token_file())
            return AssumeRoleWithWebIdentityCredentialFetcher(
                self._sts, token, self.role.arn, extra_args=arguments
            )
        keys = self.source.get_credentials()
        if keys is None:
            raise NoCredentialsError
        return AssumeRoleCredentialFetcher(self._sts, keys, self.role.arn, extra_args=arguments)

    def _token_file(self) -> str:
        path = self.role.token_file or os.environ.get(TOKEN_FILE)
        if not path:
            raise ConnectionUnusable(
                f"the role {self.role.arn} is taken on with a token, and there is no file of it",
                expected=f"assume_role_with_web_identity_token_file, or {TOKEN_FILE}",
            )
        return path

    def _sts(self, service: str, config: Config | None = None, **keys: Any) -> Any:
        """Makes a client of STS, in the form in which botocore's fetchers ask for it."""
        network = Config(**self.network)
        return self.source.create_client(
            service,
            region_name=self.region,
            endpoint_url=self.role.sts_endpoint_url,
            config=network.merge(config) if config else network,
            **keys,
        )

    def _refusal(self, error: Exception) -> Exception:
        return refusal(
            f"the role {self.role.arn} cannot be taken on",
            error,
            do="check role_arn, external_id, the role's trust policy, and the key or token",
        )
