"""Registered channels, what Telegram said about them, where their windows begin, and how much of them is stored."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from tg_ingest.accounts import Channel, ChannelInfo
from tg_ingest.errors import StoreError
from tg_ingest.messages.coverage import IdRange, IdRanges
from tg_ingest.postgres.connection import run_transaction
from tg_ingest.postgres.schema_ingest import BOUNDARIES, REGISTERED_CHANNELS, REJECTIONS
from tg_ingest.postgres.schema_telegram import CHANNELS, MESSAGES


class ChannelStore:
    """Channels over PostgreSQL. Safe to call from threads. Every method raises `StoreError`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, slug: str, *, username: str | None) -> Channel:
        """Register a channel; again with the same user name changes nothing, with another one is refused."""

        def add(connection: sa.Connection) -> Channel:
            insert = postgresql.insert(REGISTERED_CHANNELS).values(slug=slug, username=username)
            connection.execute(insert.on_conflict_do_nothing())
            channel = _registered(connection, slug)
            if channel.username != username:
                raise StoreError(f"the channel '{slug}' is registered for @{channel.username}, not for @{username}")
            return channel

        return run_transaction(self._engine, add)

    def get(self, slug: str) -> Channel | None:
        """The channel that is registered under the slug."""
        return next((channel for channel in self.channels() if channel.slug == slug), None)

    def channels(self) -> list[Channel]:
        """Every registered channel, by slug."""
        query = sa.select(REGISTERED_CHANNELS).order_by(REGISTERED_CHANNELS.c.slug)
        return [_channel(row) for row in self._rows(query)]

    def bind(self, slug: str, info: ChannelInfo) -> Channel:
        """Bind a registered slug to the numeric id it resolved to, and remember the channel's title and kind.

        The id is the identity: a slug that is bound to another id, and an id that has another slug, are refused. A
        user name changes hands, and two channels must never become one.
        """

        def bind(connection: sa.Connection) -> Channel:
            channel = _registered(connection, slug, for_update=True)
            if channel.channel_id not in (None, info.channel_id):
                raise StoreError(
                    f"'{slug}' is bound to channel {channel.channel_id}, but now resolves to {info.channel_id}: "
                    "the user name changed hands; register the new channel under another slug"
                )
            _claim(connection, slug, info.channel_id)
            _remember(connection, slug, info)
            return Channel(slug=slug, username=channel.username, channel_id=info.channel_id)

        return run_transaction(self._engine, bind)

    def record_top(
        self,
        channel_id: int,
        *,
        top_message_id: int,
        message_count: int | None,
        pts: int | None,
        is_count_inexact: bool,
    ) -> None:
        """Keep what Telegram last said about the channel's size; the highest id never goes back."""
        self._execute(
            sa.update(CHANNELS)
            .where(CHANNELS.c.channel_id == channel_id)
            .values(
                top_message_id=sa.func.greatest(CHANNELS.c.top_message_id, top_message_id),
                message_count=message_count,
                pts=sa.func.coalesce(pts, CHANNELS.c.pts),
                is_count_inexact=is_count_inexact,
                observed_at=sa.func.now(),
            )
        )

    def top_message_id(self, channel_id: int) -> int | None:
        """The highest id that Telegram ever reported."""
        rows = self._rows(sa.select(CHANNELS.c.top_message_id).where(CHANNELS.c.channel_id == channel_id))
        return rows[0].top_message_id if rows else None

    def boundaries(self, channel_id: int) -> dict[datetime, int]:
        """The first message id of each time window that was looked up."""
        rows = self._rows(sa.select(BOUNDARIES).where(BOUNDARIES.c.channel_id == channel_id).order_by(BOUNDARIES.c.at))
        return {row.at: row.first_message_id for row in rows}

    def save_boundaries(self, channel_id: int, boundaries: dict[datetime, int]) -> None:
        """Keep where time windows begin; a boundary that is known already is replaced."""
        if not boundaries:
            return
        values = [{"channel_id": channel_id, "at": at, "first_message_id": i} for at, i in sorted(boundaries.items())]
        insert = postgresql.insert(BOUNDARIES).values(values)
        self._execute(
            insert.on_conflict_do_update(
                index_elements=["channel_id", "at"], set_={"first_message_id": insert.excluded.first_message_id}
            )
        )

    def first_ids_since(self, channel_id: int, ids: IdRange, moments: Sequence[datetime]) -> dict[datetime, int]:
        """Where windows begin within ids that are all stored: behind the last message before each moment."""
        table = MESSAGES
        within = sa.and_(
            table.c.channel_id == channel_id, table.c.message_id >= ids.lower, table.c.message_id < ids.upper
        )
        found = {}
        for moment in moments:
            query = sa.select(table.c.message_id).where(within, table.c.date < moment)
            rows = self._rows(query.order_by(table.c.date.desc(), table.c.message_id.desc()).limit(1))
            found[moment] = rows[0].message_id + 1 if rows else ids.lower
        return found

    def stored_messages(self, channel_id: int, ids: IdRange | None = None) -> int:
        """How many messages are stored, of the whole channel or of a range of its ids."""
        return self._count(MESSAGES, channel_id, IdRanges() if ids is None else IdRanges((ids,)))

    def rejected_messages(self, channel_id: int, ids: IdRange | None = None) -> int:
        """How many messages are rejected and were not stored since."""
        chosen = IdRanges() if ids is None else IdRanges((ids,))
        return self._count(REJECTIONS, channel_id, chosen, REJECTIONS.c.resolved_at.is_(None))

    def _count(self, table: sa.Table, channel_id: int, ids: IdRanges, *conditions: sa.ColumnElement[bool]) -> int:
        within = [sa.and_(table.c.message_id >= lower, table.c.message_id < upper) for lower, upper in ids]
        counted = sa.func.count(sa.distinct(table.c.message_id)) if table is REJECTIONS else sa.func.count()
        query = sa.select(counted.label("rows")).select_from(table).where(table.c.channel_id == channel_id, *conditions)
        return self._rows(query.where(*within))[0].rows

    def _execute(self, statement: sa.Executable) -> None:
        run_transaction(self._engine, lambda connection: connection.execute(statement))

    def _rows(self, query: sa.Select[Any]) -> list[sa.Row[Any]]:
        return run_transaction(self._engine, lambda connection: list(connection.execute(query)))


def _registered(connection: sa.Connection, slug: str, *, for_update: bool = False) -> Channel:
    query = sa.select(REGISTERED_CHANNELS).where(REGISTERED_CHANNELS.c.slug == slug)
    row = connection.execute(query.with_for_update() if for_update else query).one_or_none()
    if row is None:
        raise StoreError(f"no channel is registered as '{slug}'; run: tg-ingest channel add {slug}")
    return _channel(row)


def _channel(row: sa.Row[Any]) -> Channel:
    return Channel(slug=row.slug, username=row.username, channel_id=row.channel_id)


def _claim(connection: sa.Connection, slug: str, channel_id: int) -> None:
    """Give the id to the slug, unless another slug has it."""
    table = REGISTERED_CHANNELS
    owner = connection.execute(sa.select(table.c.slug).where(table.c.channel_id == channel_id)).scalar()
    if owner not in (None, slug):
        raise StoreError(f"channel {channel_id} is registered as '{owner}' already; '{slug}' is the same channel")
    connection.execute(sa.update(table).where(table.c.slug == slug).values(channel_id=channel_id))


def _remember(connection: sa.Connection, slug: str, info: ChannelInfo) -> None:
    seen = {
        "username": info.username,
        "title": info.title,
        "kind": info.kind,
        "is_forum": info.is_forum,
        "observed_at": sa.func.now(),
    }
    insert = postgresql.insert(CHANNELS).values(channel_id=info.channel_id, slug=slug, **seen)
    connection.execute(insert.on_conflict_do_update(index_elements=["channel_id"], set_=seen))
