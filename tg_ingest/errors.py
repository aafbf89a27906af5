"""Every error that tg_ingest raises, grouped by what the caller does next.

TgIngestError
├── ConfigurationError            stop; the message names the setting and how to set it
├── TelegramError                 unknown answer of Telegram: shown as it is, nobody is punished for it
│   ├── TransientTelegramError    try again (timeout, disconnect, 5xx)
│   │   └── FloodWait             cool this session down for that method; another may go on
│   ├── SessionRetired            the session is dead; another may go on
│   ├── AccessLost                this session cannot see this channel; another may
│   └── ChannelUnavailable        no session can see the channel: fail the partition, do not retry
├── PoolError
│   ├── PoolTimeout               says who holds what and when the next session is free
│   └── PoolClosed                the pool lost its lock connection or was shut down
└── StoreError
    ├── TransientStoreError       try again (connection lost, deadlock, out of connections)
    └── SchemaOutdated            names the command to run

Invalid messages are data (`tg_ingest.messages.models.Rejection`), not exceptions.
"""

from datetime import datetime


class TgIngestError(Exception):
    """Root of the tree; its text is one line that a person can act on."""


class ConfigurationError(TgIngestError):
    """A setting is missing, malformed or contradicts the world."""


class TelegramError(TgIngestError):
    """Telegram answered with something that this version does not know how to treat."""


class TransientTelegramError(TelegramError):
    """The same call may succeed later: timeout, disconnect, internal error of Telegram."""


class FloodWait(TransientTelegramError):
    """Telegram refuses one method to one account for `seconds`."""

    def __init__(self, method: str, seconds: int) -> None:
        super().__init__(f"Telegram asks for a wait of {seconds} s before the next {method}")
        self.method = method
        self.seconds = seconds


class SessionRetired(TelegramError):
    """The session's key or account is dead; `reason` is Telegram's error name."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the session is dead ({reason}); log the account in again")
        self.reason = reason


class AccessLost(TelegramError):
    """This session cannot read this channel; `reason` is Telegram's error name."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"this account cannot read the channel ({reason})")
        self.reason = reason


class ChannelUnavailable(TelegramError):
    """The channel is private, deleted, renamed, of the wrong kind, or unknown."""


class PoolError(TgIngestError):
    """The session pool cannot serve."""


class PoolTimeout(PoolError):
    """No session became free in time; `next_free_at` (UTC) is when one will be, if that is known."""

    def __init__(self, message: str, next_free_at: datetime | None) -> None:
        super().__init__(message)
        self.next_free_at = next_free_at


class PoolClosed(PoolError):
    """The pool was shut down or lost the database connection that holds its locks."""


class StoreError(TgIngestError):
    """The database refused or failed."""


class TransientStoreError(StoreError):
    """The same statement may succeed later, on a fresh connection."""


class SchemaOutdated(StoreError):
    """The database's schema is not the one that this version needs."""
