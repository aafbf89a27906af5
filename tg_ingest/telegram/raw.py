"""Canonical JSON of Telegram objects: what is kept of a message as `raw`, and its hash.

Two accounts that see the same message must get the same bytes. So left out at every depth are secrets and keys (access
hashes, file references, phone numbers), counters, and whatever Telegram tells one account only. Flags that are off and
values that are absent are left out too; what the protocol sends as an explicit boolean stays: there False is an answer.
"""

import inspect
import json
from binascii import b2a_base64
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import orjson
from telethon.tl.tlobject import TLObject

_NEVER = frozenset({"access_hash", "file_reference", "phone_number"})

_LEFT_OUT: dict[str, frozenset[str]] = {
    # of the account that looks
    "Message": frozenset({"out", "mentioned", "media_unread"}),
    "MessageService": frozenset({"out", "mentioned", "media_unread", "reactions_are_possible"}),
    "MessageFwdHeader": frozenset({"saved_out"}),
    "MessageMediaInvoice": frozenset({"receipt_msg_id"}),
    "Poll": frozenset({"creator", "hash"}),
    "StoryItem": frozenset({"out", "min", "views", "sent_reaction"}),
    "FactCheck": frozenset({"hash", "need_check"}),
    # a vCard holds the phone number again
    "MessageMediaContact": frozenset({"vcard"}),
    # counters, and hashes of what is here anyway
    "WebPage": frozenset({"hash"}),
    "Page": frozenset({"views"}),
    "StarGift": frozenset({"availability_remains", "availability_resale", "per_user_remains", "last_sale_date"}),
}
_MESSAGE_COUNTERS = frozenset({"views", "forwards", "replies", "reactions"})
_POLL_COUNTERS = frozenset({"results"})

# Whole peers appear inside a few objects, full of what only this account may do with them.
_PEER_TYPES = frozenset({"Channel", "ChannelForbidden", "Chat", "ChatForbidden", "ChatEmpty", "User", "UserEmpty"})
_KEPT_OF_PEERS = frozenset({"id", "title", "username", "first_name", "last_name"})


def _fields_of(kind: type) -> list[str]:
    """The fields of a Telegram type that are kept, in alphabetical order: the order of the JSON keys."""
    # Telethon patches messages with dozens of attributes of its own; the generated class knows the wire's fields.
    generated = next(c for c in kind.__mro__ if c.__module__.startswith("telethon.tl.types"))
    names = [n for n in inspect.signature(generated.__init__).parameters if n not in {"self", "args", "kwargs"}]
    left_out = _NEVER | _LEFT_OUT.get(kind.__name__, frozenset())
    if kind.__name__ in {"Message", "MessageService"}:
        left_out |= _MESSAGE_COUNTERS
    if kind.__name__ == "MessageMediaPoll":
        left_out |= _POLL_COUNTERS
    is_peer = kind.__name__ in _PEER_TYPES
    return sorted(n for n in names if n not in left_out and (not is_peer or n in _KEPT_OF_PEERS))


def _dumper_of(kind: type) -> Callable[[Any], dict[str, Any]]:
    """Write a function from an object of this type to the dictionary of what is kept of it, one level deep.

    Generated code, as in dataclasses: a loop over the fields costs 13 us a message, this 7.
    """
    explicit_booleans = "tgread_bool" in kind.from_reader.__code__.co_names
    is_kept = "value is not None" if explicit_booleans else "value is not None and value is not False"
    source = "".join(
        f"    value = item.{name}\n    if {is_kept}:\n        kept[{name!r}] = value\n" for name in _fields_of(kind)
    )
    scope: dict[str, Any] = {}
    exec(f"def dump(item):\n    kept = {{'_': {kind.__name__!r}}}\n{source}    return kept\n", scope)  # noqa: S102  # only field names of Telethon's own classes go into the text
    return scope["dump"]


_DUMPERS: dict[type, Callable[[Any], dict[str, Any]]] = {}


def _encode(item: Any) -> Any:
    """What orjson asks for every value that JSON does not know."""
    dump = _DUMPERS.get(type(item))
    if dump is not None:
        return dump(item)
    if isinstance(item, bytes):
        return b2a_base64(item, newline=False).decode("ascii")
    if isinstance(item, TLObject):
        dump = _DUMPERS[type(item)] = _dumper_of(type(item))
        return dump(item)
    raise TypeError(f"no canonical form for {type(item).__name__}")


def canonical(item: Any) -> bytes:
    """Serialise a Telegram object (or a list of them) to its canonical JSON, UTF-8."""
    try:
        return orjson.dumps(item, _encode, orjson.OPT_UTC_Z)
    except (TypeError, RecursionError):
        # Broken surrogates, integers beyond 64 bits, depth beyond 254: slower, but nothing that was sent is lost.
        return json.dumps(_plain(item), ensure_ascii=True, separators=(",", ":")).encode()


def content_hash(raw: bytes) -> int:
    """A signed 64-bit hash of canonical JSON."""
    return int.from_bytes(blake2b(raw, digest_size=8).digest(), "big", signed=True)


def _plain(item: Any) -> Any:
    if item is None or isinstance(item, str | int | float | bool):
        return item
    if isinstance(item, list | tuple):
        return [_plain(part) for part in item]
    if isinstance(item, dict):
        return {str(name): _plain(value) for name, value in item.items()}
    if isinstance(item, datetime):
        return item.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return _plain(_encode(item))
