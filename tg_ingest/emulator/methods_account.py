"""API methods around the connection and the account: configuration, login, own user, update state, takeout."""

import hmac
import secrets
from datetime import timedelta
from typing import Any

from telethon.tl import types as t

from tg_ingest.emulator import tl
from tg_ingest.emulator.rpc import RpcFailure
from tg_ingest.emulator.service import DC_ID, Caller
from tg_ingest.emulator.world import AccountSpec

# As on Telegram's test servers: the number of the data centre, five times (core.telegram.org/api/auth).
LOGIN_CODE = str(DC_ID) * 5


def get_config(caller: Caller, _request: Any) -> bytes:
    """Answer help.getConfig with one data centre: this server."""
    service = caller.service
    now = service.now()
    return bytes(
        t.Config(
            date=now,
            expires=now + timedelta(hours=1),
            test_mode=False,
            this_dc=DC_ID,
            dc_options=[t.DcOption(DC_ID, service.host, service.port, static=True)],
            dc_txt_domain_name="",
            chat_size_max=200,
            megagroup_size_max=200_000,
            forwarded_count_max=100,
            online_update_period_ms=210_000,
            offline_blur_timeout_ms=5_000,
            offline_idle_timeout_ms=30_000,
            online_cloud_timeout_ms=300_000,
            notify_cloud_delay_ms=30_000,
            notify_default_delay_ms=1_500,
            push_chat_period_ms=60_000,
            push_chat_limit=2,
            edit_time_limit=172_800,
            revoke_time_limit=2**31 - 1,
            revoke_pm_time_limit=2**31 - 1,
            rating_e_decay=2_419_200,
            stickers_recent_limit=200,
            channels_read_media_period=604_800,
            call_receive_timeout_ms=20_000,
            call_ring_timeout_ms=90_000,
            call_connect_timeout_ms=30_000,
            call_packet_timeout_ms=10_000,
            me_url_prefix="https://t.me/",
            caption_length_max=1_024,
            message_length_max=4_096,
            webfile_dc_id=DC_ID,
        )
    )


def get_nearest_dc(_caller: Caller, _request: Any) -> bytes:
    """Answer help.getNearestDc."""
    return bytes(t.NearestDc(country="NL", this_dc=DC_ID, nearest_dc=DC_ID))


def get_app_config(_caller: Caller, request: Any) -> bytes:
    """Answer help.getAppConfig with an empty configuration."""
    if request.hash == 1:
        return bytes(t.help.AppConfigNotModified())
    return bytes(t.help.AppConfig(hash=1, config=t.JsonObject([])))


def get_users(caller: Caller, request: Any) -> bytes:
    """Answer users.getUsers: the own user, and userEmpty for everyone else."""
    account = caller.logged_in()
    users = [_user(account, caller) if _is_self(each, account) else _nobody(each) for each in request.id]
    return tl.vector([bytes(user) for user in users])


def get_state(caller: Caller, _request: Any) -> bytes:
    """Answer updates.getState; the account's own box never changes, channels have boxes of their own."""
    return bytes(t.updates.State(pts=1, qts=0, date=caller.service.now(), seq=1, unread_count=0))


def get_difference(caller: Caller, _request: Any) -> bytes:
    """Answer updates.getDifference: nothing new."""
    return bytes(t.updates.DifferenceEmpty(date=caller.service.now(), seq=1))


def send_code(caller: Caller, request: Any) -> bytes:
    """Answer auth.sendCode; the code is `LOGIN_CODE` for every account of the world."""
    account = caller.service.accounts.with_phone(request.phone_number)
    if account is None:
        raise RpcFailure(400, "PHONE_NUMBER_INVALID")
    if request.api_id <= 0 or not request.api_hash:
        raise RpcFailure(400, "API_ID_INVALID")
    caller.key.login = (account.label, secrets.token_hex(9))
    sent: Any = t.auth.SentCodeTypeApp(length=len(LOGIN_CODE))
    return bytes(t.auth.SentCode(type=sent, phone_code_hash=caller.key.login[1]))


def sign_in(caller: Caller, request: Any) -> bytes:
    """Answer auth.signIn: with the right code the key belongs to the account from now on."""
    if not request.phone_code:
        raise RpcFailure(400, "PHONE_CODE_EMPTY")
    account = caller.service.accounts.with_phone(request.phone_number)
    if account is None:
        raise RpcFailure(400, "PHONE_NUMBER_INVALID")
    label, code_hash = caller.key.login or ("", "")
    if label != account.label or not hmac.compare_digest(code_hash, request.phone_code_hash):
        raise RpcFailure(400, "PHONE_CODE_EXPIRED")
    if request.phone_code != LOGIN_CODE:
        raise RpcFailure(400, "PHONE_CODE_INVALID")
    caller.key.login = None
    caller.key.account = account
    return bytes(t.auth.Authorization(user=_user(account, caller)))


def log_out(caller: Caller, _request: Any) -> bytes:
    """Answer auth.logOut: the key stays known but belongs to nobody."""
    caller.logged_in()
    caller.key.account = None
    return bytes(t.auth.LoggedOut())


def init_takeout(caller: Caller, _request: Any) -> bytes:
    """Answer account.initTakeoutSession."""
    caller.logged_in()
    if caller.key.takeout_id is None:
        caller.key.takeout_id = secrets.randbits(62) + 1
    return bytes(t.account.Takeout(id=caller.key.takeout_id))


def finish_takeout(caller: Caller, _request: Any) -> bytes:
    """Answer account.finishTakeoutSession, which must itself be called inside the takeout."""
    if caller.key.takeout_id is None:
        raise RpcFailure(403, "TAKEOUT_REQUIRED")
    caller.key.takeout_id = None
    return bytes(tl.uint32(0x997275B5))  # boolTrue


def _user(account: AccountSpec, caller: Caller) -> t.User:
    own_hash = caller.service.accounts.access_hash(account, account.user_id)
    return t.User(
        id=account.user_id,
        is_self=True,
        access_hash=own_hash,
        first_name=account.label,
        phone=account.phone.lstrip("+"),
    )


def _is_self(peer: object, account: AccountSpec) -> bool:
    return isinstance(peer, t.InputUserSelf) or getattr(peer, "user_id", None) == account.user_id


def _nobody(peer: object) -> t.UserEmpty:
    return t.UserEmpty(getattr(peer, "user_id", 0))
