"""The session pool of this process, put together from the settings and the database."""

import os
import platform

from tg_ingest.accounts import Account
from tg_ingest.postgres.stores import Stores
from tg_ingest.settings import Settings
from tg_ingest.telegram.credentials import load_key, unseal
from tg_ingest.telegram.lease import HISTORY, RESOLVE
from tg_ingest.telegram.pool import SessionPool


def open_pool(settings: Settings, stores: Stores) -> SessionPool:
    """Make the pool; raises `ConfigurationError` when the application's keys or the secret key are missing."""
    api_id, api_hash = settings.api
    key = load_key(settings.secret_key, settings.secret_key_file)

    def unsealed(account: Account, sealed: bytes) -> str:
        return unseal(sealed, key=key, account_id=account.account_id)

    return SessionPool(
        stores.accounts,
        unseal=unsealed,
        api_id=api_id,
        api_hash=api_hash,
        holder=f"{platform.node()}:{os.getpid()}",
        rpc_deadline=settings.call_deadline,
        start_intervals={HISTORY: settings.history_interval, RESOLVE: settings.resolve_interval},
        grace_seconds=settings.holder_grace,
    )
