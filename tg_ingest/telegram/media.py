"""The kind of a message's media, as one word."""

from collections.abc import Callable
from typing import Any

from telethon.tl import types


def _kind_of_document(media: Any) -> str:
    """A document is what its attributes say; a sticker or an animation may also carry a video attribute."""
    attributes = getattr(media.document, "attributes", None) or ()
    by_type = {type(attribute): attribute for attribute in attributes}
    if types.DocumentAttributeSticker in by_type:
        return "sticker"
    if types.DocumentAttributeCustomEmoji in by_type:
        return "custom_emoji"
    if types.DocumentAttributeAnimated in by_type:
        return "animation"
    video = by_type.get(types.DocumentAttributeVideo)
    if video is not None or media.video or media.round:
        return "video_note" if media.round or getattr(video, "round_message", False) else "video"
    audio = by_type.get(types.DocumentAttributeAudio)
    if audio is not None or media.voice:
        return "voice" if media.voice or getattr(audio, "voice", False) else "audio"
    return "document"


_KINDS: dict[type, str | Callable[[Any], str] | None] = {
    types.MessageMediaContact: "contact",
    types.MessageMediaDice: "dice",
    types.MessageMediaDocument: _kind_of_document,
    types.MessageMediaEmpty: None,
    types.MessageMediaGame: "game",
    types.MessageMediaGeo: "geo",
    types.MessageMediaGeoLive: "geo_live",
    types.MessageMediaGiveaway: "giveaway",
    types.MessageMediaGiveawayResults: "giveaway_results",
    types.MessageMediaInvoice: "invoice",
    types.MessageMediaPaidMedia: "paid_media",
    types.MessageMediaPhoto: "photo",
    types.MessageMediaPoll: "poll",
    types.MessageMediaStory: "story",
    types.MessageMediaToDo: "todo",
    types.MessageMediaUnsupported: "unsupported",
    types.MessageMediaVenue: "venue",
    types.MessageMediaVideoStream: "video_stream",
    types.MessageMediaWebPage: "web_page",
}


def media_type_of(media: Any) -> str | None:
    """Name the kind of media: photo, video, voice, poll, ..., or None for a message without."""
    if media is None:
        return None
    kind = _KINDS[type(media)]
    return kind(media) if callable(kind) else kind
