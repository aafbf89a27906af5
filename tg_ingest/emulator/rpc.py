"""An API call before it is served: parsed, taken out of its wrappers, and named as the documentation names it."""

import struct
from dataclasses import dataclass
from typing import Any

from telethon.errors import TypeNotFoundError
from telethon.extensions import BinaryReader
from telethon.tl import TLRequest
from telethon.tl import functions as f
from telethon.tl.alltlobjects import LAYER

_MAX_WRAPPERS = 8


class RpcFailure(Exception):
    """An error that Telegram answers a call with."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code
        self.message = message


@dataclass(slots=True)
class Unwrapped:
    """A call without its wrappers, and what they said."""

    request: TLRequest
    method: str
    initialises: bool = False
    takeout_id: int | None = None
    after_msg_id: int | None = None


def parse(body: bytes) -> TLRequest:
    """Read one call; raises `RpcFailure` with the name that Telegram gives to bytes it cannot read."""
    reader = BinaryReader(body)
    try:
        request = reader.tgread_object()
    except TypeNotFoundError as error:
        raise RpcFailure(400, f"INPUT_METHOD_INVALID_{error.invalid_constructor_id}_0") from error
    except (BufferError, struct.error, ValueError, RuntimeError, OverflowError, AttributeError, TypeError) as error:
        raise RpcFailure(400, "INPUT_FETCH_ERROR") from error
    if not isinstance(request, TLRequest):
        raise RpcFailure(400, "INPUT_METHOD_INVALID")
    if reader.tell_position() != len(body):
        raise RpcFailure(400, "INPUT_REQUEST_TOO_LONG")
    return request


def unwrap(request: TLRequest) -> Unwrapped:
    """Take a call out of invokeWithLayer, initConnection and their like; raises `RpcFailure`."""
    call = Unwrapped(request, "")
    for _ in range(_MAX_WRAPPERS):
        inner: Any = call.request
        match inner:
            case f.InvokeWithLayerRequest():
                # Constructors differ between layers, and this server writes those of one layer only.
                if inner.layer != LAYER:
                    raise RpcFailure(400, "CONNECTION_LAYER_INVALID")
            case f.InitConnectionRequest():
                if inner.api_id <= 0:
                    raise RpcFailure(400, "CONNECTION_API_ID_INVALID")
                call.initialises = True
            case f.InvokeWithTakeoutRequest():
                call.takeout_id = inner.takeout_id
            case f.InvokeAfterMsgRequest():
                call.after_msg_id = inner.msg_id
            case f.InvokeWithoutUpdatesRequest():
                pass
            case _:
                call.method = method_name(inner)
                return call
        if not isinstance(inner.query, TLRequest):
            raise RpcFailure(400, "INPUT_METHOD_INVALID")
        call.request = inner.query
    raise RpcFailure(400, "INPUT_FETCH_ERROR")


def method_name(request: TLRequest | type[TLRequest]) -> str:
    """Return the method's name as documented, such as `messages.getHistory`."""
    kind = request if isinstance(request, type) else type(request)
    name = kind.__name__.removesuffix("Request")
    name = name[0].lower() + name[1:]
    module = kind.__module__.rpartition(".")[2]
    return name if module == "functions" else f"{module}.{name}"
