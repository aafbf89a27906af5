"""The emulator's edge: sockets, tasks and time. Everything that can be decided without them is decided elsewhere."""

import asyncio
import contextlib
import itertools
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from tg_ingest.emulator.accounts import Accounts
from tg_ingest.emulator.admin import AdminServer
from tg_ingest.emulator.dispatch import Dispatcher, Reply
from tg_ingest.emulator.link import Link
from tg_ingest.emulator.mtproto import Query
from tg_ingest.emulator.server_key import ServerKey
from tg_ingest.emulator.service import DC_ID, Service
from tg_ingest.emulator.world import World

_READ_BYTES = 1 << 16
_LAST_PORT = 65_535
_LOOPBACK = frozenset({"127.0.0.1", "::1"})


class CannotServe(ValueError):
    """The emulator cannot listen, or keep its key, where it was told to; the text says why."""


class Emulator:
    """A running local Telegram. `admin_url` is its HTTP side, `public_key` what clients must trust."""

    def __init__(self, service: Service, server_key: ServerKey, *, gzip_answers: bool = False) -> None:
        self.service = service
        self.server_key = server_key
        self.admin_url = ""
        self._dispatcher = Dispatcher(service, gzip_answers=gzip_answers)
        self._connection_ids = itertools.count(1)
        self._connections: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None

    @property
    def host(self) -> str:
        """The address that clients connect to."""
        return self.service.host

    @property
    def port(self) -> int:
        """The port that clients connect to."""
        return self.service.port

    @property
    def public_key(self) -> str:
        """The RSA key that clients must trust, as PEM."""
        return self.server_key.public_pem

    def session(self, label: str) -> str:
        """Return an account's Telethon `StringSession` for this server."""
        return self.service.accounts.session_string(label, host=self.host, port=self.port, dc_id=DC_ID)

    async def listen(self, *, host: str, port: int) -> None:
        """Open the MTProto port (0: any free one)."""
        self._listener = await asyncio.start_server(self._accept, host, port)
        self.service.host, self.service.port = self._listener.sockets[0].getsockname()[:2]

    async def close(self) -> None:
        """Close the port and every connection."""
        if self._listener is not None:
            self._listener.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        connection_id = next(self._connection_ids)
        link = Link(
            self.service.accounts,
            self.server_key,
            connection_id=connection_id,
            dc_id=DC_ID,
            clock=self.service.clock,
        )
        try:
            await self._converse(link, reader, writer, connection_id)
        except (ConnectionError, TimeoutError, asyncio.CancelledError):
            # The client is gone, asked to be disconnected, or the server stops: in each case only the socket remains.
            writer.transport.abort()
        finally:
            link.closed()
            writer.close()

    async def _converse(
        self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection_id: int
    ) -> None:
        while not link.is_closing:
            if link.disconnect_in == 0:
                return
            async with asyncio.timeout(link.disconnect_in):
                chunk = await reader.read(_READ_BYTES)
            if not chunk:
                return
            for query in link.feed(chunk):
                reply = self._dispatcher.reply(query, connection_id=connection_id)
                if reply.drop is not None:
                    _drop(link, writer, query, reply)
                    return
                self._answer(link, writer, query, reply)
            _flush(link, writer)
            await writer.drain()

    def _answer(self, link: Link, writer: asyncio.StreamWriter, query: Query, reply: Reply) -> None:
        if reply.body is None:
            return
        if not reply.delay:
            link.answer(query, reply.body)
            return
        asyncio.get_running_loop().call_later(reply.delay, _answer_late, link, writer, query, reply.body)


def check_host(host: str, *, allow_any: bool) -> None:
    """Refuse addresses that other machines can reach, unless they were asked for: everyone may do everything here."""
    if host not in _LOOPBACK and not allow_any:
        raise CannotServe(f"the emulator listens on 127.0.0.1 or ::1 only, not on {host}, unless that is asked for")


def _own_key(state: Path | None) -> ServerKey:
    try:
        return ServerKey.generate() if state is None else ServerKey.kept_in(state)
    except (OSError, ValueError) as error:
        raise CannotServe(f"the server's key cannot be kept in {state}: {error}") from error


@contextlib.contextmanager
def _bound_to(host: str, port: int, what: str) -> Iterator[None]:
    """Turn a failure to open a port into one that names the port. 70000 would silently become port 4464."""
    if not 0 <= port <= _LAST_PORT:
        raise CannotServe(f"{port} is no port for {what}: give one from 0 (any free one) to {_LAST_PORT}")
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise CannotServe(f"{what} cannot listen on {host}, port {port}: {reason}") from error


@contextlib.asynccontextmanager
async def started(
    world: World,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    admin_port: int = 0,
    state: Path | None = None,
    server_key: ServerKey | None = None,
    gzip_answers: bool = False,
    allow_any_host: bool = False,
) -> AsyncIterator[Emulator]:
    """Run a local Telegram inside this event loop. `state` is a folder that keeps the RSA key between runs."""
    check_host(host, allow_any=allow_any_host)
    key = server_key or _own_key(state)
    service = Service(world, Accounts(world.accounts, seed=world.seed))
    emulator = Emulator(service, key, gzip_answers=gzip_answers)
    with _bound_to(host, port, "the emulator"):
        await emulator.listen(host=host, port=port)
    admin = AdminServer(service)
    try:
        with _bound_to(host, admin_port, "the admin interface"):
            emulator.admin_url = await admin.start(host=host, port=admin_port)
        yield emulator
    finally:
        await admin.stop()
        await emulator.close()


def _flush(link: Link, writer: asyncio.StreamWriter) -> None:
    if framed := link.data_to_send():
        writer.write(framed)


def _answer_late(link: Link, writer: asyncio.StreamWriter, query: Query, body: bytes) -> None:
    if writer.is_closing():
        return
    link.answer(query, body)
    _flush(link, writer)


def _drop(link: Link, writer: asyncio.StreamWriter, query: Query, reply: Reply) -> None:
    """Lose the connection; a half-written frame is sent first where the fault asks for one."""
    if reply.drop == "half" and reply.body is not None:
        link.answer(query, reply.body)
        framed = link.data_to_send()
        writer.write(framed[: len(framed) // 2])
        return
    writer.transport.abort()
