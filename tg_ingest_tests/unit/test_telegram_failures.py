"""What each error of Telegram means, by the name that the server sent."""

import pytest
from telethon import errors
from telethon.tl.functions.messages import GetDialogFiltersRequest
from telethon.tl.types import RpcError

from tg_ingest.errors import (
    AccessLost,
    ChannelUnavailable,
    ConfigurationError,
    FloodWait,
    SessionRetired,
    TelegramError,
    TransientTelegramError,
)
from tg_ingest.telegram.failures import presentable, state_for, translated

METHOD = "messages.getHistory"
KINDS = [
    (401, "AUTH_KEY_UNREGISTERED", SessionRetired),
    (401, "SESSION_REVOKED", SessionRetired),
    (401, "SESSION_EXPIRED", SessionRetired),
    (401, "USER_DEACTIVATED", SessionRetired),
    (401, "USER_DEACTIVATED_BAN", SessionRetired),
    (406, "AUTH_KEY_DUPLICATED", SessionRetired),
    (420, "FROZEN_METHOD_INVALID", SessionRetired),
    (400, "FROZEN_PARTICIPANT_MISSING", SessionRetired),
    (401, "SESSION_PASSWORD_NEEDED", TelegramError),
    (406, "PHONE_PASSWORD_FLOOD", TelegramError),
    (406, "UPDATE_APP_TO_LOGIN", TelegramError),
    (406, "SOMETHING_NEW", TelegramError),
    (400, "PEER_FLOOD", TelegramError),
    (406, "CHANNEL_PRIVATE", AccessLost),
    (400, "CHANNEL_PRIVATE", AccessLost),
    (400, "CHANNEL_INVALID", AccessLost),
    (403, "CHANNEL_PUBLIC_GROUP_NA", AccessLost),
    (400, "USER_BANNED_IN_CHANNEL", AccessLost),
    (400, "USERNAME_NOT_OCCUPIED", ChannelUnavailable),
    (400, "USERNAME_INVALID", ChannelUnavailable),
    (400, "API_ID_INVALID", ConfigurationError),
    (500, "RPC_CALL_FAIL", TransientTelegramError),
    (500, "INTERDC_2_CALL_ERROR", TransientTelegramError),
    (-500, "No workers running", TransientTelegramError),
    (-503, "Timeout", TransientTelegramError),
    (500, "NOBODY_KNOWS_THIS_ONE", TransientTelegramError),
    (400, "CONNECTION_NOT_INITED", TransientTelegramError),
    (420, "SLOWMODE_WAIT_30", TelegramError),
    (303, "FILE_MIGRATE_4", TelegramError),
]


def answer(code, name):
    return translated(errors.rpc_message_to_error(RpcError(code, name), GetDialogFiltersRequest()), method=METHOD)


@pytest.mark.parametrize(("code", "name", "kind"), KINDS, ids=str)
def test_an_error_is_known_by_its_name(code, name, kind):
    assert type(answer(code, name)) is kind


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("FLOOD_WAIT_31", 31),
        ("FLOOD_WAIT_0", 1),
        ("FLOOD_PREMIUM_WAIT_4", 4),
        ("FLOOD_SKIP_FAILED_WAIT_7", 60),
        ("A_NEW_KIND_OF_FLOOD", 60),
    ],
)
def test_a_flood_has_a_method_and_seconds(name, seconds):
    flood = answer(420, name)
    assert isinstance(flood, FloodWait)
    assert (flood.method, flood.seconds) == (METHOD, seconds)


def test_the_name_is_shown_where_nothing_else_is_known():
    assert str(answer(406, "SOMETHING_NEW")) == "messages.getHistory: Telegram answers SOMETHING_NEW (406)"


def test_frozen_accounts_and_forgotten_keys_are_quarantined_and_dead_ones_retired():
    assert state_for("FROZEN_METHOD_INVALID") == "quarantined"
    assert state_for("TRANSPORT_404") == "quarantined"
    assert state_for("SESSION_REVOKED") == "retired"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.AuthKeyNotFound(), SessionRetired),
        (errors.InvalidBufferError(b"\x53\xfe\xff\xff"), FloodWait),  # transport code 429
        (errors.InvalidBufferError(b"xy"), TransientTelegramError),
        (TimeoutError(), TransientTelegramError),
        (ConnectionResetError(), TransientTelegramError),
        (EOFError(), TransientTelegramError),
        (errors.SecurityError(), TransientTelegramError),
        (ValueError("anything"), TelegramError),
    ],
    ids=lambda value: type(value).__name__,
)
def test_errors_that_are_not_telegrams(error, kind):
    assert type(translated(error, method=METHOD)) is kind


def test_an_unknown_type_says_what_to_do_and_not_what_was_sent():
    text = str(translated(errors.TypeNotFoundError(0xDEADBEEF, b"secret" * 1000), method=METHOD))
    assert "deadbeef" in text
    assert "upgrade telethon" in text
    assert "secret" not in text
    assert len(text) < 120


def test_a_trace_shows_only_causes_that_quote_nothing_of_what_was_sent():
    quoting = [errors.TypeNotFoundError(1, b"secret"), errors.InvalidBufferError(b"secret"), ValueError("secret")]
    assert [presentable(error) for error in quoting] == [None, None, None]
    refused = errors.rpc_message_to_error(RpcError(400, "CHANNEL_PRIVATE"), GetDialogFiltersRequest())
    assert presentable(refused) is refused
