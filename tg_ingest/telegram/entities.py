"""Text entities as JSON: Telegram's UTF-16 offsets, and the text that they mark."""

import inspect
import re
from typing import Any

from telethon.tl import types

from tg_ingest.telegram.raw import canonical

_POSITION = {"self", "args", "kwargs", "offset", "length"}


def _type_name(kind: type) -> str:
    """`MessageEntityTextUrl` is `text_url`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__.removeprefix("MessageEntity")).lower()


_KINDS: dict[type, tuple[str, tuple[str, ...]]] = {
    kind: (_type_name(kind), tuple(n for n in inspect.signature(kind.__init__).parameters if n not in _POSITION))
    for name, kind in vars(types).items()
    if name.startswith("MessageEntity")
}


def entities_json(text: str, entities: list[Any] | None) -> str | None:
    """Serialise entities as `[{"type", "offset", "length", "text", ...}]`, or None when there are none.

    Offsets and lengths count UTF-16 code units (https://core.telegram.org/api/entities#entity-length). An entity that
    cuts a surrogate pair has U+FFFD where the half was; one that reaches beyond the text has what there is.
    """
    if not entities:
        return None
    units = None if text.isascii() else text.encode("utf-16-le", "surrogatepass")
    if units is not None and len(units) == 2 * len(text):
        units = None  # nothing beyond the basic plane: a unit is a character
    marked = []
    for entity in entities:
        name, extras = _KINDS[type(entity)]
        start, end = max(entity.offset, 0), max(entity.offset + entity.length, 0)
        part = text[start:end] if units is None else units[2 * start : 2 * end].decode("utf-16-le", "replace")
        item = {"type": name, "offset": entity.offset, "length": entity.length, "text": part}
        for extra in extras:
            value = getattr(entity, extra)
            if value is not None and value is not False:
                item[extra] = value
        marked.append(item)
    return canonical(marked).decode()
