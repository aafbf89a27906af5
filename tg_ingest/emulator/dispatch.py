"""One call from arrival to answer: dead keys, logins, limits, faults, the method itself, and the ledger. No sockets."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from telethon.tl import TLRequest
from telethon.tl import functions as f

from tg_ingest.emulator import containers, tl
from tg_ingest.emulator import methods_account as account_methods
from tg_ingest.emulator import methods_channels as channel_methods
from tg_ingest.emulator.accounts import DUPLICATED, AuthKey
from tg_ingest.emulator.faults import Drop, DropWhen, Flood, Latency, RpcError, Silence
from tg_ingest.emulator.limits import Quota
from tg_ingest.emulator.mtproto import Query
from tg_ingest.emulator.rpc import RpcFailure, Unwrapped, parse, unwrap
from tg_ingest.emulator.served import MethodTally
from tg_ingest.emulator.service import Caller, Service
from tg_ingest.emulator.session import State
from tg_ingest.emulator.world import AccountSpec

_log = logging.getLogger(__name__)
_HISTORY = "messages.getHistory"
_NOBODY = "(nobody)"
_GZIP_FROM = 512

Method = Callable[[Caller, Any], bytes]
METHODS: dict[type[TLRequest], Method] = {
    f.help.GetConfigRequest: account_methods.get_config,
    f.help.GetNearestDcRequest: account_methods.get_nearest_dc,
    f.help.GetAppConfigRequest: account_methods.get_app_config,
    f.auth.SendCodeRequest: account_methods.send_code,
    f.auth.SignInRequest: account_methods.sign_in,
    f.auth.LogOutRequest: account_methods.log_out,
    f.users.GetUsersRequest: account_methods.get_users,
    f.updates.GetStateRequest: account_methods.get_state,
    f.updates.GetDifferenceRequest: account_methods.get_difference,
    f.account.InitTakeoutSessionRequest: account_methods.init_takeout,
    f.account.FinishTakeoutSessionRequest: account_methods.finish_takeout,
    f.contacts.ResolveUsernameRequest: channel_methods.resolve_username,
    f.channels.GetChannelsRequest: channel_methods.get_channels,
    f.channels.GetFullChannelRequest: channel_methods.get_full_channel,
    f.channels.GetMessagesRequest: channel_methods.get_messages,
    f.messages.GetHistoryRequest: channel_methods.get_history,
    f.messages.GetPeerDialogsRequest: channel_methods.get_peer_dialogs,
    f.updates.GetChannelDifferenceRequest: channel_methods.get_channel_difference,
}
_OPEN_TO_ALL = frozenset(
    {
        f.help.GetConfigRequest,
        f.help.GetNearestDcRequest,
        f.help.GetAppConfigRequest,
        f.auth.SendCodeRequest,
        f.auth.SignInRequest,
    }
)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server does about a call: answer `body` after `delay` seconds, never (None), or close the connection."""

    body: bytes | None
    delay: float = 0.0
    drop: DropWhen | None = None


class Dispatcher:
    """Serves calls. `gzip_answers` packs answers that become smaller, as Telegram does, at some cost of CPU."""

    def __init__(self, service: Service, *, gzip_answers: bool = False) -> None:
        self._service = service
        self._gzip = gzip_answers
        self._quotas: dict[tuple[str, str], Quota] = {}
        self._flagged: set[str] = set()

    def reply(self, query: Query, *, connection_id: int) -> Reply:
        """Serve one call."""
        key = query.key
        key.note_sending(connection_id, self._service.monotonic())
        account = key.account
        faults, who = self._service.faults, key.label
        method = ""
        try:
            call = unwrap(parse(query.body))
            method = call.method
            drop = faults.use(Drop, account=who, method=method, fits=lambda each: each.when == "before")
            if drop is not None:
                return Reply(None, drop=drop.when)
            body = self._serve(query, call, account)
        except RpcFailure as failure:
            self._count_failure(account, method, failure)
            body = tl.rpc_error(failure.code, failure.message)
        return self._deliver(body, who, method)

    def _deliver(self, body: bytes, who: str | None, method: str) -> Reply:
        faults = self._service.faults
        latency = faults.use(Latency, account=who, method=method)
        delay = 0.0 if latency is None else latency.milliseconds / 1000
        if faults.use(Silence, account=who, method=method) is not None:
            return Reply(None)
        if self._gzip and len(body) > _GZIP_FROM:
            body = containers.pack(body)
        drop = faults.use(Drop, account=who, method=method, fits=lambda each: each.when != "before")
        return Reply(body, delay=delay, drop=None if drop is None else drop.when)

    def _serve(self, query: Query, call: Unwrapped, account: AccountSpec | None) -> bytes:
        key = query.key
        kind = type(call.request)
        tally = self._tally(account, call.method)
        tally.note_call(self._service.monotonic())
        if key.dead is not None:
            raise RpcFailure(406 if key.dead == DUPLICATED else 401, key.dead)
        if call.initialises:
            key.is_initialised = True
        elif not key.is_initialised:
            raise RpcFailure(400, "CONNECTION_NOT_INITED")
        if account is None and kind not in _OPEN_TO_ALL:
            raise RpcFailure(401, "AUTH_KEY_UNREGISTERED")
        self._check_wrappers(query, call)
        if account is not None:
            self._check_limits(account, call.method, tally, key)
        if (error := self._service.faults.use(RpcError, account=key.label, method=call.method)) is not None:
            raise RpcFailure(error.code, error.message)
        serve = METHODS.get(kind)
        if serve is None:
            raise RpcFailure(400, "METHOD_INVALID")
        body = self._run(serve, Caller(self._service, key, account), call)
        tally.ok += 1
        return body

    def _run(self, serve: Method, caller: Caller, call: Unwrapped) -> bytes:
        try:
            return serve(caller, call.request)
        except RpcFailure:
            raise
        except Exception as error:
            # A bug of the emulator must show: a lost connection would make clients repeat the call for ever.
            _log.exception("%s failed: %s", call.method, call.request)
            self._service.ledger.internal_errors.append(f"{call.method}: {error!r}")
            raise RpcFailure(500, "INTERNAL_SERVER_ERROR") from error

    def _check_wrappers(self, query: Query, call: Unwrapped) -> None:
        if call.takeout_id is not None and call.takeout_id != query.key.takeout_id:
            raise RpcFailure(400, "TAKEOUT_INVALID")
        if call.after_msg_id is not None:
            before = query.session.state_of(call.after_msg_id & (1 << 64) - 1)
            if before is not State.ANSWERED:
                raise RpcFailure(400, "MSG_WAIT_FAILED")

    def _check_limits(self, account: AccountSpec, method: str, tally: MethodTally, key: AuthKey) -> None:
        now = self._service.monotonic()
        quota = self._quota(account, method)
        knew_of_wait = quota.is_waiting(now)
        flood = self._service.faults.use(Flood, account=account.label, method=method)
        if flood is not None:
            quota.impose(flood.seconds, now)
        if method == _HISTORY:
            if account.revoke_after is not None and tally.ok >= account.revoke_after:
                key.dead = "SESSION_REVOKED"
                raise RpcFailure(401, key.dead)
            flagged = account.flag_after is not None and tally.ok >= account.flag_after
            if flagged and account.label not in self._flagged:
                self._flagged.add(account.label)
                quota.impose(account.flag_seconds, now)
                flood = Flood(seconds=account.flag_seconds)
        wait = quota.refusal(now)
        if flood is not None and not knew_of_wait:
            quota.inside_wait -= 1  # the call that meets a wait out of turn could not know of it
        tally.inside_wait = quota.inside_wait
        if wait is not None:
            raise RpcFailure(420, f"FLOOD_WAIT_{wait}")

    def _quota(self, account: AccountSpec, method: str) -> Quota:
        quota = self._quotas.get((account.label, method))
        if quota is None:
            quota = self._quotas[account.label, method] = Quota(account.limits.get(method))
        return quota

    def _tally(self, account: AccountSpec | None, method: str) -> MethodTally:
        if account is None:
            return self._service.ledger.tally(_NOBODY, method)
        limit = account.limits.get(method)
        return self._service.ledger.tally(account.label, method, window=None if limit is None else limit.seconds)

    def _count_failure(self, account: AccountSpec | None, method: str, failure: RpcFailure) -> None:
        tally = self._tally(account, method or "(unreadable)")
        tally.errors[failure.message] += 1
        if failure.message.startswith("FLOOD_WAIT_"):
            tally.floods += 1
