"""Accounts from the command line: stored sealed, shown without secrets."""

import re

from tg_ingest.accounts import Device
from tg_ingest.errors import ConfigurationError
from tg_ingest.postgres.stores import Stores
from tg_ingest.settings import Settings
from tg_ingest.telegram.credentials import key_id, load_key, read_session, seal

_LABEL = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,63}")


def import_session(settings: Settings, label: str, source: str) -> None:
    """Store a Telethon session, sealed. An account of that label gets the new session and is active again."""
    if not _LABEL.fullmatch(label):
        raise ConfigurationError(
            f"{label!r} is not a label: up to 64 of letters, digits, '.', '_' and '-', beginning with a letter "
            "(such as reader-1; labels are shown in logs, so no phone numbers)"
        )
    session = read_session(source)
    key = load_key(settings.secret_key, settings.secret_key_file)
    with Stores.connect(settings.database_url) as stores:
        known = stores.accounts.account(label)
        if known is None:
            stores.accounts.add_account(
                label, seal=lambda number: (seal(session, key=key, account_id=number), key_id(key)), device=Device()
            )
            return
        sealed = seal(session, key=key, account_id=known.account_id)
        stores.accounts.reseal(known.account_id, sealed=sealed, key_id=key_id(key))
        stores.accounts.set_state(known.account_id, "active", None)


def list_sessions(settings: Settings) -> list[tuple[object, ...]]:
    """Label, state, reason and the end of the longest wait of every account."""
    with Stores.connect(settings.database_url) as stores:
        return [
            (account.label, account.state, account.state_reason, _rest(stores, account.account_id))
            for account in stores.accounts.accounts()
        ]


def _rest(stores: Stores, account_id: int) -> object:
    waits = [pace.blocked_until for pace in stores.accounts.paces(account_id).values() if pace.blocked_until]
    return max(waits, default=None)
