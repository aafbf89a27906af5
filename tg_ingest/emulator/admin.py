"""The emulator's HTTP side, for the demo and the tests: who exists, what is true, what was served, and faults."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tg_ingest.emulator import faults
from tg_ingest.emulator.service import DC_ID, Service
from tg_ingest.emulator.world import WorldChannel

_TRUTH_CHUNK = 500
_LONGEST_TEXT = 4_096
_MAX_DIGITS = 10


class _BadRequest(Exception):
    """The request cannot be served as it is; the text says which field is wrong."""


class _Admin:
    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[Route]:
        return [
            Route("/health", self.health),
            Route("/accounts", self.accounts),
            Route("/channels", self.channels),
            Route("/truth/{channel_id:int}", self.truth),
            Route("/served", self.served),
            Route("/faults", self.arm_fault, methods=["POST"]),
            Route("/faults", self.clear_faults, methods=["DELETE"]),
            Route("/channels/{channel_id:int}/post", self.post, methods=["POST"]),
            Route("/channels/{channel_id:int}/edit", self.edit, methods=["POST"]),
            Route("/channels/{channel_id:int}/delete", self.delete, methods=["POST"]),
        ]

    async def health(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok", "world": self._service.world.name, "seed": self._service.world.seed})

    async def accounts(self, _request: Request) -> Response:
        service = self._service
        return JSONResponse(
            [
                {
                    "label": spec.label,
                    "user_id": spec.user_id,
                    "phone": spec.phone,
                    "session": service.accounts.session_string(
                        spec.label, host=service.host, port=service.port, dc_id=DC_ID
                    ),
                }
                for spec in service.accounts.specs
            ]
        )

    async def channels(self, _request: Request) -> Response:
        accounts = self._service.accounts
        return JSONResponse(
            [
                {
                    "channel_id": channel.channel_id,
                    "username": channel.username,
                    "title": channel.title,
                    "kind": channel.kind,
                    "messages": channel.count,
                    "top_id": channel.top_id,
                    "pts": channel.pts,
                    "is_private": channel.is_private,
                    "access_hashes": {
                        spec.label: accounts.access_hash(spec, channel.channel_id) for spec in accounts.specs
                    },
                }
                for channel in self._service.world.channels.values()
            ]
        )

    async def truth(self, request: Request) -> Response:
        channel = self._channel(request)
        lower = _whole(request.query_params.get("lower", "1"), "lower")
        upper = _whole(request.query_params.get("upper", str(channel.top_id + 1)), "upper")
        lines = _truth_lines(channel, lower, upper)
        return StreamingResponse(_in_chunks(lines), media_type="application/x-ndjson")

    async def served(self, _request: Request) -> Response:
        document = self._service.ledger.as_json()
        document["keys"] = [
            {
                "account": key.label,
                "key_id": f"{key.key_id:016x}",
                "connections_opened": key.connections_opened,
                "open_connections": len(key.senders),
                "max_simultaneous_sending": key.most_senders,
                "duplicated": key.is_duplicated,
                "dead": key.dead,
            }
            for key in self._service.accounts.keys
        ]
        document["duplicated_keys"] = sum(key.is_duplicated for key in self._service.accounts.keys)
        return JSONResponse(document)

    async def arm_fault(self, request: Request) -> Response:
        fault = faults.parse(await _json(request))
        account = fault.account
        if account is not None and self._service.accounts.named(account) is None:
            raise _BadRequest(f"account: there is no account {account!r}")
        match fault:
            case faults.Revoke():
                return JSONResponse({"did": "revoke", "keys": self._revoke(fault), "error": fault.error})
            case faults.RotateSalts():
                keys = [key for key in self._service.accounts.keys if account in {None, key.label}]
                for key in keys:
                    key.salts.rotate()
                return JSONResponse({"did": "rotate_salts", "keys": len(keys)})
            case _:
                self._service.faults.arm(fault)
                armed = len(self._service.faults.armed)
                return JSONResponse({"did": "arm", "fault": type(fault).__name__, "armed": armed})

    async def clear_faults(self, _request: Request) -> Response:
        return JSONResponse({"did": "clear", "faults": self._service.faults.clear()})

    async def post(self, request: Request) -> Response:
        channel = self._channel(request)
        return JSONResponse({"message_id": channel.post(_text(await _json(request)))})

    async def edit(self, request: Request) -> Response:
        channel = self._channel(request)
        document = await _json(request)
        message_id = _field(document, "message_id", int)
        if not channel.exists(message_id):
            raise _BadRequest(f"message_id: the channel has no message {message_id}")
        try:
            channel.edit(message_id, _text(document))
        except KeyError as error:
            raise _BadRequest(f"message_id: {error.args[0]}") from error
        return JSONResponse({"message_id": message_id})

    async def delete(self, request: Request) -> Response:
        channel = self._channel(request)
        ids = _field(await _json(request), "message_ids", list)
        if not all(isinstance(each, int) and channel.exists(each) for each in ids):
            raise _BadRequest("message_ids: must be ids of messages that exist")
        channel.delete(ids)
        return JSONResponse({"deleted": len(ids)})

    def _revoke(self, fault: faults.Revoke) -> int:
        keys = self._service.accounts.keys_of(fault.account)
        for key in keys:
            if fault.error == "AUTH_KEY_NOT_FOUND":
                self._service.accounts.forget(key)
            else:
                key.dead = fault.error
        return len(keys)

    def _channel(self, request: Request) -> WorldChannel:
        channel_id = request.path_params["channel_id"]
        channel = self._service.world.channels.get(channel_id)
        if channel is None:
            raise _BadRequest(f"channel_id: there is no channel {channel_id}")
        return channel


class AdminServer:
    """The HTTP server around the admin routes, inside the caller's event loop."""

    def __init__(self, service: Service) -> None:
        app = Starlette(
            routes=_Admin(service).routes(),
            exception_handlers={_BadRequest: _bad_request, faults.FaultError: _bad_request},
        )
        # uvicorn's own logging configuration would close every handler of the process that runs the emulator.
        config = uvicorn.Config(app, log_config=None, log_level="warning", access_log=False, lifespan="off", ws="none")
        self._server = _QuietServer(config)
        self._task: asyncio.Task[None] | None = None

    async def start(self, *, host: str, port: int) -> str:
        """Open the port (0: any free one) and return the URL."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
        bound = listener.getsockname()[1]
        self._task = asyncio.get_running_loop().create_task(self._server.serve(sockets=[listener]))
        # The listening socket takes connections already; uvicorn answers them as soon as its task runs.
        name = f"[{host}]" if ":" in host else host
        return f"http://{name}:{bound}"

    async def stop(self) -> None:
        """Close the port."""
        if self._task is None:
            return
        self._server.should_exit = True
        self._server.force_exit = True
        await self._task


class _QuietServer(uvicorn.Server):
    """Leaves the process's signals alone: they belong to whoever started the emulator."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _truth_lines(channel: WorldChannel, lower: int, upper: int) -> Iterator[bytes]:
    for truth in channel.truth(lower, upper):
        document = {
            "message_id": truth.message_id,
            "date": truth.date,
            "edit_date": truth.edit_date,
            "kind": truth.kind,
            "text": truth.text,
            "rich_text": truth.rich_text,
        }
        yield json.dumps(document).encode() + b"\n"


async def _in_chunks(lines: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Give the loop to the MTProto side after every chunk; a channel's truth may be ten million lines."""
    chunk: list[bytes] = []
    for line in lines:
        chunk.append(line)
        if len(chunk) >= _TRUTH_CHUNK:
            yield b"".join(chunk)
            chunk.clear()
            await asyncio.sleep(0)
    yield b"".join(chunk)


async def _json(request: Request) -> Any:
    try:
        return await request.json()
    except (ValueError, RecursionError) as error:
        raise _BadRequest(f"the body is no JSON: {error}") from error


def _field(document: Any, name: str, kind: type) -> Any:
    value = document.get(name) if isinstance(document, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise _BadRequest(f"{name}: must be a JSON {kind.__name__}")
    return value


def _text(document: Any) -> str:
    text = _field(document, "text", str)
    if not faults.is_unicode(text):
        raise _BadRequest("text: half a surrogate pair cannot be sent")
    if len(text) > _LONGEST_TEXT:
        raise _BadRequest(f"text: longer than the {_LONGEST_TEXT} characters of a Telegram message")
    return text


def _whole(text: str, name: str) -> int:
    if not text.isdecimal() or len(text) > _MAX_DIGITS:
        raise _BadRequest(f"{name}: {text!r} is no whole number")
    return int(text)


async def _bad_request(_request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=400)
