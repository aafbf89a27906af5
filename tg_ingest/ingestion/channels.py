"""Channels from the command line: how they are named, registered and listed."""

import re

from tg_ingest.accounts import Channel
from tg_ingest.errors import ConfigurationError
from tg_ingest.messages.coverage import IdRanges
from tg_ingest.postgres.stores import Stores
from tg_ingest.settings import Settings

_SPELLINGS = re.compile(r"(?:@|(?:https?://)?(?:www\.)?(?:t|telegram)\.me/(?:s/)?)?(?P<name>[^/?#]*)/?", re.IGNORECASE)
_USERNAME = re.compile(r"[a-z][a-z0-9_]{3,31}", re.IGNORECASE)  # https://core.telegram.org/method/account.checkUsername


def slug_of(name: str) -> str:
    """The partition key of a public channel: its username in lower case. Takes @name and t.me links as well."""
    spelled = _SPELLINGS.fullmatch(name.strip())
    username = spelled["name"] if spelled else ""
    if not _USERNAME.fullmatch(username):
        raise ConfigurationError(
            f"{name!r} is not a channel's username: 4 to 32 of a-z, 0-9 and _, beginning with a letter "
            "(such as durov, @durov or https://t.me/durov)"
        )
    return username.lower()


def register(stores: Stores, name: str) -> str:
    """Register a public channel under its slug, if it is not known yet; returns the slug. Telegram is not asked."""
    slug = slug_of(name)
    if stores.channels.get(slug) is None:
        stores.channels.add(slug, username=slug)
    return slug


def registered(stores: Stores, slug: str) -> Channel:
    """The channel of a partition key. A key that was typed in the Dagster UI is registered here."""
    known = stores.channels.get(slug)
    if known is not None:
        return known
    if slug_of(slug) != slug:
        raise ConfigurationError(
            f"the channel key {slug!r} must be {slug_of(slug)!r}: usernames are kept in lower case"
        )
    register(stores, slug)
    return Channel(slug=slug, username=slug, channel_id=None)


def list_channels(settings: Settings) -> list[tuple[object, ...]]:
    """Slug, id, stored messages and the number of ids up to the newest that were not seen, of every channel."""
    with Stores.connect(settings.database_url) as stores:
        return [_line(stores, channel) for channel in stores.channels.channels()]


def _line(stores: Stores, channel: Channel) -> tuple[object, ...]:
    if channel.channel_id is None:
        return channel.slug, None, 0, None
    everything = IdRanges.of([(1, (stores.channels.top_message_id(channel.channel_id) or 0) + 1)])
    stored = stores.channels.stored_messages(channel.channel_id)
    unseen = (everything - stores.covered(channel.channel_id)).size
    return channel.slug, channel.channel_id, stored, unseen
