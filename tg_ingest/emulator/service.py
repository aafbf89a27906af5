"""What the API methods need to answer a call: the world, the accounts, and who is asking."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from telethon.tl import types as t

from tg_ingest.emulator.accounts import Accounts, AuthKey
from tg_ingest.emulator.faults import Faults
from tg_ingest.emulator.rpc import RpcFailure
from tg_ingest.emulator.served import Ledger
from tg_ingest.emulator.world import AccountSpec, World, WorldChannel

DC_ID = 2


@dataclass(slots=True)
class Service:
    """Everything behind the API. `host` and `port` are where clients reach it."""

    world: World
    accounts: Accounts
    faults: Faults = field(default_factory=Faults)
    ledger: Ledger = field(default_factory=Ledger)
    host: str = "127.0.0.1"
    port: int = 0
    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic

    def now(self) -> datetime:
        """Return the server's time, in whole seconds."""
        return datetime.fromtimestamp(int(self.clock()), UTC)


@dataclass(slots=True)
class Caller:
    """Who makes a call, over which key."""

    service: Service
    key: AuthKey
    account: AccountSpec | None

    def channel(self, named: object) -> tuple[WorldChannel, int]:
        """Return the channel that an `InputChannel` names and this account's hash of it; raises as Telegram does."""
        if isinstance(named, t.InputChannel):
            return self._found(named.channel_id, named.access_hash)
        is_other = isinstance(named, t.InputChannelEmpty | t.InputChannelFromMessage)
        raise RpcFailure(400, "CHANNEL_INVALID" if is_other else "INPUT_CONSTRUCTOR_INVALID")

    def peer_channel(self, named: object) -> tuple[WorldChannel, int]:
        """Return the channel that an `InputPeer` names; other kinds of peer have no history here."""
        if isinstance(named, t.InputPeerChannel):
            return self._found(named.channel_id, named.access_hash)
        raise RpcFailure(400, "PEER_ID_INVALID")

    def _found(self, channel_id: int, claimed_hash: int) -> tuple[WorldChannel, int]:
        found = self.service.world.channels.get(channel_id)
        access_hash = self.service.accounts.access_hash(self.logged_in(), channel_id)
        if found is None or claimed_hash != access_hash:
            raise RpcFailure(400, "CHANNEL_INVALID")
        if found.is_private:
            raise RpcFailure(406, "CHANNEL_PRIVATE")
        return found, access_hash

    def logged_in(self) -> AccountSpec:
        """Return the account; raises AUTH_KEY_UNREGISTERED when nobody is logged in."""
        if self.account is None:
            raise RpcFailure(401, "AUTH_KEY_UNREGISTERED")
        return self.account
