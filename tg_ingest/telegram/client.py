"""One Telegram connection: an unmodified `TelegramClient`, one method per RPC, a deadline on each, errors translated.

Nothing waits or retries here, that is the caller's decision; Telethon's own habits are switched off, with reasons.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from typing import Any, NoReturn

from telethon import TelegramClient, functions, types
from telethon.sessions import StringSession

from tg_ingest.accounts import ChannelInfo, Device
from tg_ingest.errors import AccessLost, ChannelUnavailable, TransientTelegramError
from tg_ingest.telegram.failures import presentable, translated

# Telethon's own lines print undecoded payloads, and call every lost connection an error; what matters reaches the
# caller as the error of a call.
_TELETHON_LOG = logging.getLogger("tg_ingest.telegram.telethon")
_TELETHON_LOG.setLevel(logging.CRITICAL)

_CLOSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class History:
    """An answer of messages.getHistory: the messages as they came, and what Telegram says about the whole."""

    messages: list[Any]
    count: int | None  # how many messages the channel shows, service messages included
    pts: int | None
    _: KW_ONLY
    is_inexact: bool
    is_not_modified: bool
    is_restricted: bool  # clients must not show this channel; its pages may be empty


class _Session(StringSession):
    """Remembers no user or channel: Telethon's own would keep everybody who ever wrote, for as long as it lives."""

    def process_entities(self, tlo: Any) -> None:
        """Access hashes are kept in the database; nothing is looked up here."""


class Client:
    """A connection of one account. `session` is Telethon's string form; `rpc_deadline` is in seconds, for each call."""

    def __init__(
        self,
        session: str,
        *,
        api_id: int,
        api_hash: str,
        device: Device,
        rpc_deadline: float = 60.0,
        connect_deadline: float = 20.0,
    ) -> None:
        stored = _Session(session)
        self._server = f"{stored.server_address}:{stored.port}"
        self._deadline = rpc_deadline
        self._connect_deadline = connect_deadline
        self._telethon = TelegramClient(
            stored,
            api_id,
            api_hash,
            device_model=device.model,
            system_version=device.system_version,
            app_version=device.app_version,
            lang_code=device.language,
            system_lang_code=device.language,
            # Telethon replaces an address of the other family by a production one.
            use_ipv6=":" in str(stored.server_address),
            timeout=connect_deadline,  # type: ignore[arg-type]  # annotated int, handed to asyncio.wait_for
            receive_updates=False,
            # Floods belong to the pacer. 0 means that none is slept through.
            flood_sleep_threshold=0,
            # Telethon sends once more than it is told to retry: 1 would be two calls.
            request_retries=0,
            raise_last_call_error=True,
            connection_retries=0,
            retry_delay=0,
            # A reconnect would send unanswered requests again and call users.getUsers: both spend quota unseen.
            auto_reconnect=False,
            base_logger=_TELETHON_LOG,
        )
        self._is_usable = False

    @property
    def is_connected(self) -> bool:
        """Whether a call may be made: connected, and no call has failed to return."""
        return self._is_usable and bool(self._telethon.is_connected())

    async def connect(self) -> None:
        """Open the connection.

        Telethon asks for help.getConfig, users.getUsers, updates.getState and updates.getDifference on the way; a dead
        session is found at the first call after it.
        """
        try:
            await asyncio.wait_for(self._telethon.connect(), self._connect_deadline)
        except asyncio.CancelledError:
            await self.disconnect()
            self._raise_unless_cancelled("connect")
        except Exception as error:  # noqa: BLE001  # translated and raised
            await self.disconnect()
            failure = translated(error, method="connect")
            if type(failure) is TransientTelegramError:
                failure = TransientTelegramError(f"no connection to Telegram at {self._server}; check the network")
            raise failure from presentable(error)
        # Retrieved here, so that a connection that ends badly does not leave an unretrieved exception behind.
        self._telethon.disconnected.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        self._is_usable = True

    async def disconnect(self) -> None:
        """Close the connection, within seconds whatever the other side does. Safe to call twice."""
        self._is_usable = False
        closing: asyncio.Future[Any] = asyncio.ensure_future(self._telethon.disconnect())  # type: ignore[arg-type]  # None outside of a loop only
        try:
            await asyncio.wait({closing}, timeout=_CLOSE_SECONDS)
        finally:
            if not closing.done():
                self.abort()
            closing.add_done_callback(lambda ended: ended.cancelled() or ended.exception())

    def abort(self) -> None:
        """Cut the connection at once, without a farewell."""
        self._is_usable = False
        connection = getattr(self._telethon._sender, "_connection", None)  # noqa: SLF001  # Telethon has no public way
        writer = getattr(connection, "_writer", None)
        if writer is not None:
            writer.transport.abort()

    async def history(
        self,
        channel: ChannelInfo,
        *,
        offset_id: int = 0,
        limit: int,
        offset_date: datetime | None = None,
        add_offset: int = 0,
    ) -> History:
        """Ask messages.getHistory for `limit` messages before `offset_id` (0: the newest).

        See https://core.telegram.org/api/offsets. min_id and max_id are never used: Telegram applies them after the
        slice, where they can only empty a page.
        """
        answer = await self._call(
            functions.messages.GetHistoryRequest(
                peer=_input_peer(channel),
                offset_id=offset_id,
                offset_date=offset_date,
                add_offset=add_offset,
                limit=limit,
                max_id=0,
                min_id=0,
                hash=0,
            )
        )
        return _history_of(answer, channel.channel_id)

    async def messages(self, channel: ChannelInfo, ids: Sequence[int]) -> list[Any]:
        """Ask channels.getMessages for at most 100 ids that are known to have existed."""
        request = functions.channels.GetMessagesRequest(
            channel=_input_channel(channel), id=[types.InputMessageID(i) for i in ids]
        )
        return (await self._call(request)).messages

    async def resolve_username(self, username: str) -> ChannelInfo:
        """Ask contacts.resolveUsername, the dearest of all calls: Telegram allows a few dozen a day.

        Raises `ChannelUnavailable` when the name belongs to nobody, to a person, or to a basic group.
        """
        answer = await self._call(functions.contacts.ResolveUsernameRequest(username=username.removeprefix("@")))
        if not isinstance(answer.peer, types.PeerChannel):
            raise ChannelUnavailable(f"@{username.removeprefix('@')} is not a channel or supergroup")
        return _channel_info(answer.chats, answer.peer.channel_id, username=username.removeprefix("@"))

    async def channel(self, channel: ChannelInfo) -> ChannelInfo:
        """Ask channels.getChannels for one channel as it is now."""
        answer = await self._call(functions.channels.GetChannelsRequest(id=[_input_channel(channel)]))
        return _channel_info(answer.chats, channel.channel_id)

    async def full_channel(self, channel: ChannelInfo) -> Any:
        """Ask channels.getFullChannel: description, member count, hidden history, linked group."""
        return await self._call(functions.channels.GetFullChannelRequest(channel=_input_channel(channel)))

    async def peer_dialogs(self, channels: Sequence[ChannelInfo]) -> Any:
        """Ask messages.getPeerDialogs for the newest message and the event counter of at most 100 channels."""
        peers: list[Any] = [types.InputDialogPeer(_input_peer(channel)) for channel in channels]
        return await self._call(functions.messages.GetPeerDialogsRequest(peers=peers))

    async def me(self) -> int:
        """Ask users.getUsers who this account is: its numeric id."""
        users = await self._call(functions.users.GetUsersRequest(id=[types.InputUserSelf()]))
        return users[0].id

    async def _call(self, request: Any) -> Any:
        method = method_name(request)
        if not self.is_connected:
            raise TransientTelegramError(f"{method}: not connected")
        try:
            return await asyncio.wait_for(self._telethon(request), self._deadline)
        except asyncio.CancelledError:
            self._is_usable = False
            self._raise_unless_cancelled(method)
        except Exception as error:  # noqa: BLE001  # translated and raised
            failure = translated(error, method=method)
            if isinstance(error, OSError | EOFError | BufferError):  # a timeout is an OSError, too
                # An answer that comes late would meet the next request; and Telethon keeps the old one for a resend.
                self._is_usable = False
            raise failure from presentable(error)

    def _raise_unless_cancelled(self, method: str) -> NoReturn:
        """Tell a cancelled task from Telethon, which cancels what was under way when a connection ends."""
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError
        raise TransientTelegramError(f"{method}: the connection was closed")


def method_name(request: Any) -> str:
    """Telegram's name of a request: `messages.GetHistoryRequest` is messages.getHistory."""
    namespace = type(request).__module__.rpartition(".")[2]
    name = type(request).__name__.removesuffix("Request")
    return f"{namespace}.{name[0].lower()}{name[1:]}"


def _input_peer(channel: ChannelInfo) -> types.InputPeerChannel:
    return types.InputPeerChannel(channel.channel_id, channel.access_hash)


def _input_channel(channel: ChannelInfo) -> types.InputChannel:
    return types.InputChannel(channel.channel_id, channel.access_hash)


def _history_of(answer: Any, channel_id: int) -> History:
    """Read messages.messages, messagesSlice, channelMessages and messagesNotModified alike."""
    if isinstance(answer, types.messages.MessagesNotModified):
        return History([], answer.count, None, is_inexact=False, is_not_modified=True, is_restricted=False)
    chat = next((c for c in answer.chats if c.id == channel_id), None)
    if isinstance(chat, types.ChannelForbidden):
        raise AccessLost("CHANNEL_FORBIDDEN")
    return History(
        answer.messages,
        getattr(answer, "count", None),  # messages.messages does not say
        getattr(answer, "pts", None),
        is_inexact=bool(getattr(answer, "inexact", None)),
        is_not_modified=False,
        is_restricted=bool(getattr(chat, "restricted", None)),
    )


def _channel_info(chats: list[Any], channel_id: int, *, username: str | None = None) -> ChannelInfo:
    chat = next((c for c in chats if c.id == channel_id), None)
    if isinstance(chat, types.ChannelForbidden):
        raise AccessLost("CHANNEL_FORBIDDEN")
    if not isinstance(chat, types.Channel):
        raise ChannelUnavailable("Telegram names a basic group or nothing; only channels and supergroups can be read")
    if chat.access_hash is None:
        raise AccessLost("NO_ACCESS_HASH")
    kind = "gigagroup" if chat.gigagroup else "supergroup" if chat.megagroup else "broadcast"
    return ChannelInfo(
        channel_id=chat.id,
        access_hash=chat.access_hash,
        title=chat.title,
        username=chat.username or username,
        kind=kind,
        is_forum=bool(chat.forum),
    )
