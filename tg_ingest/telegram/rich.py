"""The plain text of a rich message: what its page blocks would read like without their layout."""

from collections.abc import Iterator
from typing import Any

from telethon.tl import types

# The order in which a reader meets the parts of a block.
_PARTS = ("title", "text", "author", "cover", "source", "items", "blocks", "rows", "articles", "description", "caption")


def plain_text(rich_message: Any) -> str:
    """Join the text of all blocks of a `RichMessage`, a line each."""
    return "\n".join(line for block in rich_message.blocks for line in _lines(block) if line)


def _lines(block: Any) -> Iterator[str]:
    if type(block) is types.PageTableRow:
        yield "\t".join(_inline(cell.text) for cell in block.cells)
        return
    if type(block) is types.PageCaption:
        yield _inline(block.text)
        yield _inline(block.credit)
        return
    for name in _PARTS:
        part = getattr(block, name, None)
        if isinstance(part, list):
            for inner in part:
                yield from _lines(inner)
        elif isinstance(part, str):
            yield part
        elif type(part) is types.PageCaption or type(part).__name__.startswith("PageBlock"):
            yield from _lines(part)
        elif part is not None:
            yield _inline(part)


def _inline(text: Any) -> str:
    """The characters of a `RichText` tree."""
    if text is None or isinstance(text, str):
        return text or ""
    if type(text) is types.TextConcat:
        return "".join(map(_inline, text.texts))
    if type(text) is types.TextCustomEmoji:
        return text.alt
    if type(text) is types.TextMath:
        return text.source
    return _inline(getattr(text, "text", None))
