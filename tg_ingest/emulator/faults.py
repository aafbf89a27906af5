"""Faults that tests and the demo inject: parsed from JSON, armed, used up call by call. Nothing is executed here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

PageEffect = Literal["empty", "duplicate_boundary", "reversed", "swapped", "short", "message_empty"]
DropWhen = Literal["before", "after", "half"]


_INT32 = 2**31 - 1  # what fits into an `int` of TL, and into a wait
_INT64 = 2**63 - 1


class FaultError(ValueError):
    """A fault's description is wrong; the text names the field."""


@dataclass(kw_only=True, slots=True)
class Fault:
    """What all faults share: whom they hit (None: everyone, everything), and how often (None: until removed)."""

    account: str | None = None
    method: str | None = None
    times: int | None = 1


@dataclass(kw_only=True, slots=True)
class Flood(Fault):
    """Impose a FLOOD_WAIT of `seconds` at the next call."""

    seconds: int


@dataclass(kw_only=True, slots=True)
class RpcError(Fault):
    """Answer with an error instead of serving."""

    code: int
    message: str


@dataclass(kw_only=True, slots=True)
class Drop(Fault):
    """Close the connection before the call is served, after it but before its answer, or half-way through that."""

    when: DropWhen


@dataclass(kw_only=True, slots=True)
class Silence(Fault):
    """Serve the call and never answer."""


@dataclass(kw_only=True, slots=True)
class Latency(Fault):
    """Answer later by `milliseconds`."""

    milliseconds: int


@dataclass(kw_only=True, slots=True)
class Page(Fault):
    """Disturb a page of messages.getHistory.

    `short` serves at most `cap` messages; `message_empty` serves ids in [lower, upper] as messageEmpty.
    """

    effect: PageEffect
    channel_id: int | None = None
    cap: int = 50
    lower: int = 1
    upper: int = 2**31 - 1


@dataclass(kw_only=True, slots=True)
class Revoke:
    """End an account's keys at once with an error name; `AUTH_KEY_NOT_FOUND` makes the server forget them (-404)."""

    account: str
    error: str = "AUTH_KEY_UNREGISTERED"


@dataclass(kw_only=True, slots=True)
class RotateSalts:
    """Invalidate the salts of an account's keys (None: of all keys)."""

    account: str | None = None


Armed = Flood | RpcError | Drop | Silence | Latency | Page
Kind = TypeVar("Kind", bound=Fault)


class Faults:
    """The faults that are armed, oldest first."""

    def __init__(self) -> None:
        self._armed: list[Armed] = []

    @property
    def armed(self) -> Sequence[Armed]:
        """The faults that are not used up."""
        return tuple(self._armed)

    def arm(self, fault: Armed) -> None:
        """Add a fault."""
        self._armed.append(fault)

    def clear(self) -> int:
        """Remove every fault and return how many there were."""
        count = len(self._armed)
        self._armed.clear()
        return count

    def use(
        self, kind: type[Kind], *, account: str | None, method: str, fits: Callable[[Kind], bool] = lambda _: True
    ) -> Kind | None:
        """Return the oldest armed fault of a kind that hits this call, and count its use."""
        for fault in self._armed:
            if not isinstance(fault, kind) or not fits(fault):
                continue
            if fault.account not in {None, account} or fault.method not in {None, method}:
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self._armed.remove(fault)
            return fault
        return None


def disturb(ids: list[int], page: Page, *, offset_id: int) -> list[int]:
    """Return the ids of a page (newest first) as the fault wants them served; `offset_id` is what the client sent."""
    match page.effect:
        case "empty":
            return []
        case "duplicate_boundary":
            # A client that walks backwards sends the last id of its page before, so that id comes twice.
            return [offset_id, *ids[:-1]] if ids and offset_id else ids
        case "reversed":
            return ids[::-1]
        case "swapped":
            middle = len(ids) // 2
            return ids[: middle - 1] + ids[middle - 1 : middle + 1][::-1] + ids[middle + 1 :] if len(ids) > 1 else ids
        case "short":
            return ids[: page.cap]
        case "message_empty":
            return ids


def parse(document: Any) -> Armed | Revoke | RotateSalts:
    """Read one fault from JSON; raises `FaultError` naming the field that is wrong."""
    if not isinstance(document, dict):
        raise FaultError("the fault must be a JSON object")
    fields = dict(document)
    kind = fields.pop("kind", None)
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise FaultError(f"kind: {kind!r} is none of {', '.join(sorted(_READERS))}")
    made, known = reader
    for name in fields:
        if name not in known:
            raise FaultError(f"{name}: a fault of kind {kind} has no such field (it has {', '.join(sorted(known))})")
    values = {}
    for name, check in known.items():
        if name in fields:
            values[name] = check(name, fields[name])
    try:
        return made(**values)
    except TypeError as error:
        raise FaultError(f"kind {kind}: {str(error).partition(') ')[2] or error}") from error


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise FaultError(f"{name}: {value!r} is no text")
    if not is_unicode(value):
        raise FaultError(f"{name}: half a surrogate pair cannot be sent")
    return value


def is_unicode(text: str) -> bool:
    """Tell whether a text can be sent: JSON can spell halves of surrogate pairs, UTF-8 cannot."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _optional_text(name: str, value: Any) -> str | None:
    return None if value is None else _text(name, value)


def _natural(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise FaultError(f"{name}: {value!r} is no whole number from 0 on")
    if value > _INT32:
        raise FaultError(f"{name}: must be at most {_INT32}")
    return value


def _positive(name: str, value: Any) -> int:
    if _natural(name, value) == 0:
        raise FaultError(f"{name}: must be at least 1")
    return value


def _identifier(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= _INT64:
        raise FaultError(f"{name}: must be a whole number from 1 to {_INT64}")
    return value


def _times(name: str, value: Any) -> int | None:
    return None if value is None else _positive(name, value)


def _code(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _INT32:
        raise FaultError(f"{name}: must be an error code from {-_INT32} to {_INT32}")
    return value


def _choice(*choices: str) -> Callable[[str, Any], str]:
    def check(name: str, value: Any) -> str:
        if value not in choices:
            raise FaultError(f"{name}: {value!r} is none of {', '.join(choices)}")
        return value

    return check


_AIM = {"account": _optional_text, "method": _optional_text, "times": _times}
_READERS: dict[str, tuple[Callable[..., Any], dict[str, Callable[[str, Any], Any]]]] = {
    "flood": (Flood, {**_AIM, "seconds": _positive}),
    "error": (RpcError, {**_AIM, "code": _code, "message": _text}),
    "drop": (Drop, {**_AIM, "when": _choice("before", "after", "half")}),
    "silence": (Silence, _AIM),
    "latency": (Latency, {**_AIM, "milliseconds": _positive}),
    "page": (
        Page,
        {
            "account": _optional_text,
            "times": _times,
            "effect": _choice("empty", "duplicate_boundary", "reversed", "swapped", "short", "message_empty"),
            "channel_id": _identifier,
            "cap": _natural,
            "lower": _natural,
            "upper": _natural,
        },
    ),
    "revoke": (Revoke, {"account": _text, "error": _text}),
    "rotate_salts": (RotateSalts, {"account": _optional_text}),
}
