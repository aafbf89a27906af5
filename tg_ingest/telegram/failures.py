"""Telegram's and Telethon's errors as this project's, matched by Telegram's name for them.

Never by Telethon's base class or by the numeric code: any unknown 406 is an `AuthKeyError` there and looks like a dead
session, and CHANNEL_PRIVATE is a 406 on the wire but a `BadRequestError` in Telethon. Error texts hold names only.
"""

import re
from collections.abc import Callable
from enum import Enum, auto

import telethon
from telethon import errors
from telethon.errors.rpcerrorlist import rpc_errors_dict, rpc_errors_re

from tg_ingest.accounts import AccountState
from tg_ingest.errors import (
    AccessLost,
    ChannelUnavailable,
    ConfigurationError,
    FloodWait,
    SessionRetired,
    TelegramError,
    TgIngestError,
    TransientTelegramError,
)

UNKNOWN_FLOOD_SECONDS = 60
_FLOOD_CODE = 420
_SERVER_CODES = frozenset({500, 503})


class _Verdict(Enum):
    RETIRED = auto()  # the key or the account is dead: log in again
    QUARANTINED = auto()  # not to be used until a person has looked
    ACCESS = auto()  # this account and this channel
    CHANNEL = auto()  # the channel itself
    RETRY = auto()
    CONFIGURATION = auto()
    SHOWN = auto()  # known, nobody's fault, nothing to do but to say so


# https://core.telegram.org/api/errors; what was learned about each beyond that page is in the comments.
_VERDICTS: dict[str, _Verdict] = {
    "AUTH_KEY_UNREGISTERED": _Verdict.RETIRED,
    "AUTH_KEY_INVALID": _Verdict.RETIRED,
    "AUTH_KEY_PERM_EMPTY": _Verdict.RETIRED,
    "AUTH_KEY_DUPLICATED": _Verdict.RETIRED,  # the key was used on two connections and is already invalid
    "SESSION_REVOKED": _Verdict.RETIRED,
    "SESSION_EXPIRED": _Verdict.RETIRED,
    "USER_DEACTIVATED": _Verdict.RETIRED,
    "USER_DEACTIVATED_BAN": _Verdict.RETIRED,
    "TRANSPORT_404": _Verdict.QUARANTINED,  # the server does not know the key, perhaps only for now
    "FROZEN_METHOD_INVALID": _Verdict.QUARANTINED,  # a frozen account; sent as a flood (420) without seconds
    "FROZEN_PARTICIPANT_MISSING": _Verdict.QUARANTINED,
    "CHANNEL_PRIVATE": _Verdict.ACCESS,
    "CHANNEL_PUBLIC_GROUP_NA": _Verdict.ACCESS,
    "CHANNEL_INVALID": _Verdict.ACCESS,  # usually an access hash of another account
    "CHANNEL_FORBIDDEN": _Verdict.ACCESS,
    "PEER_ID_INVALID": _Verdict.ACCESS,
    "CHAT_ID_INVALID": _Verdict.ACCESS,
    "CHAT_FORBIDDEN": _Verdict.ACCESS,
    "CHAT_RESTRICTED": _Verdict.ACCESS,
    "USER_BANNED_IN_CHANNEL": _Verdict.ACCESS,
    "USER_NOT_PARTICIPANT": _Verdict.ACCESS,
    "USERNAME_NOT_OCCUPIED": _Verdict.CHANNEL,
    "USERNAME_INVALID": _Verdict.CHANNEL,
    "INVITE_HASH_EXPIRED": _Verdict.CHANNEL,
    "INVITE_HASH_INVALID": _Verdict.CHANNEL,
    "API_ID_INVALID": _Verdict.CONFIGURATION,
    "API_ID_PUBLISHED_FLOOD": _Verdict.CONFIGURATION,
    "FLOOD_TEST_PHONE_WAIT": _Verdict.CONFIGURATION,  # only the test data centres say so
    "BOT_METHOD_INVALID": _Verdict.CONFIGURATION,
    "RPC_CALL_FAIL": _Verdict.RETRY,
    "RPC_MCGET_FAIL": _Verdict.RETRY,
    "INTERDC_CALL_ERROR": _Verdict.RETRY,
    "INTERDC_CALL_RICH_ERROR": _Verdict.RETRY,
    "HISTORY_GET_FAILED": _Verdict.RETRY,
    "WORKER_BUSY_TOO_LONG_RETRY": _Verdict.RETRY,
    "POSTPONED_TIMEOUT": _Verdict.RETRY,
    "PERSISTENT_TIMESTAMP_OUTDATED": _Verdict.RETRY,
    "TIMEOUT": _Verdict.RETRY,
    "MSG_WAIT_FAILED": _Verdict.RETRY,
    "MSG_WAIT_TIMEOUT": _Verdict.RETRY,
    "CONNECTION_NOT_INITED": _Verdict.RETRY,  # a new connection says initConnection again
    "CONNECTION_LAYER_INVALID": _Verdict.RETRY,
    # Floods by their code that are none: nothing here sends or exports.
    "SLOWMODE_WAIT": _Verdict.SHOWN,
    "TAKEOUT_INIT_DELAY": _Verdict.SHOWN,
    "2FA_CONFIRM_WAIT": _Verdict.SHOWN,
}
_FLOODS = frozenset({"FLOOD_WAIT", "FLOOD_PREMIUM_WAIT"})

_AS_ERROR: dict[_Verdict, Callable[[str, str], TgIngestError]] = {
    _Verdict.RETIRED: lambda name, _: SessionRetired(name),
    _Verdict.QUARANTINED: lambda name, _: SessionRetired(name),
    _Verdict.ACCESS: lambda name, _: AccessLost(name),
    _Verdict.CHANNEL: lambda name, _: ChannelUnavailable(f"Telegram knows no such channel ({name})"),
    _Verdict.RETRY: lambda name, method: TransientTelegramError(f"{method}: {name}"),
    _Verdict.CONFIGURATION: lambda name, _: ConfigurationError(
        f"Telegram refuses the application ({name}); check api_id and api_hash"
    ),
    _Verdict.SHOWN: lambda name, method: TelegramError(f"{method}: {name}"),
}

_NAMES = {kind: name.upper() for name, kind in rpc_errors_dict.items()} | {
    kind: re.sub(r"_?\(\\d\+\)", "", pattern) for pattern, kind in rpc_errors_re
}


def error_name(error: errors.RPCError) -> str:
    """Telegram's name of an error, without the number that some carry."""
    name = _NAMES.get(type(error)) or str(error.message or type(error).__name__)
    return re.sub(r"[^\w .-]", "?", name)[:60]


def state_for(reason: str) -> AccountState:
    """The state of an account whose session ended for `reason`, an error name."""
    return "quarantined" if _VERDICTS.get(reason) is _Verdict.QUARANTINED else "retired"


def translated(error: BaseException, *, method: str) -> TgIngestError:
    """Say what an error of Telethon means for the caller of `method`."""
    match error:
        case errors.RPCError():
            failure = _from_telegram(error, method=method)
        case errors.TypeNotFoundError():
            # Its own text ends with every byte that could not be read.
            constructor, version = f"{error.invalid_constructor_id:08x}", telethon.__version__
            failure = TelegramError(
                f"{method}: Telethon {version} does not know the type {constructor}; upgrade telethon"
            )
        case errors.AuthKeyNotFound():
            failure = SessionRetired("TRANSPORT_404")
        case errors.InvalidBufferError(code=429):
            failure = FloodWait(method, UNKNOWN_FLOOD_SECONDS)  # the whole connection is flooded
        case TimeoutError():
            failure = TransientTelegramError(f"{method}: no answer in time")
        case OSError() | EOFError() | BufferError() | errors.SecurityError():
            failure = TransientTelegramError(f"{method}: the connection failed ({type(error).__name__})")
        case _:
            failure = TelegramError(f"{method}: {type(error).__name__} inside Telethon")
    return failure


def presentable(error: Exception) -> Exception | None:
    """The error as the cause to show in a trace, or None for one whose text may quote what Telegram sent."""
    return error if isinstance(error, errors.RPCError | OSError | EOFError | errors.SecurityError) else None


def _from_telegram(error: errors.RPCError, *, method: str) -> TgIngestError:
    name = error_name(error)
    if name in _FLOODS:
        return FloodWait(method, max(1, int(getattr(error, "seconds", UNKNOWN_FLOOD_SECONDS))))
    verdict = _VERDICTS.get(name)
    return _by_code(error, name, method=method) if verdict is None else _AS_ERROR[verdict](name, method)


def _by_code(error: errors.RPCError, name: str, *, method: str) -> TgIngestError:
    """A name that the table does not have: only floods and failures of the server are understood by their code."""
    code = abs(error.code or 0)
    if code == _FLOOD_CODE:
        return FloodWait(method, UNKNOWN_FLOOD_SECONDS)
    if code in _SERVER_CODES:
        return TransientTelegramError(f"{method}: {name}")
    return TelegramError(f"{method}: Telegram answers {name} ({code})")
