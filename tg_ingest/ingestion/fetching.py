"""The first op's work for one channel: which ids are wanted, which are known, and fetching the rest."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tg_ingest.accounts import Channel
from tg_ingest.errors import ChannelUnavailable
from tg_ingest.ingestion.batch import ChannelBatch, StagedPart
from tg_ingest.ingestion.channels import registered
from tg_ingest.ingestion.windows import Boundaries, Window, joined
from tg_ingest.messages.coverage import IdRanges
from tg_ingest.messages.spool import Spool
from tg_ingest.postgres.stores import Stores
from tg_ingest.telegram.asking import ask
from tg_ingest.telegram.boundaries import first_id_since, top_of
from tg_ingest.telegram.channels import channel_for
from tg_ingest.telegram.fetch import fetch_history
from tg_ingest.telegram.lease import RESOLVE, Lease
from tg_ingest.telegram.pool import SessionPool

_PIECE = 10_000  # ids, so at most as many rows a part: PostgreSQL merges batches of this size fastest


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How many accounts a run may use at once; how many seconds it waits for one, or for Telegram to be in reach."""

    max_sessions: int
    max_wait: float


async def fetch_channel(
    pool: SessionPool,
    *,
    stores: Stores,
    spool: Spool,
    slug: str,
    windows: Sequence[Window],
    first_window: datetime,
    run_id: str,
    limits: Limits,
) -> ChannelBatch:
    """Fetch what is not covered of the windows of one channel into parts of the spool; Telegram is asked for no more.

    Parts that a dead run left behind are taken over. Raises `TgIngestError`s; a lack of free accounts is not one once
    the ids are known: the batch then says what is missing and when to go on.
    """
    try:
        channel = await _bound(pool, stores, registered(stores, slug), limits)
    except ChannelUnavailable as error:
        raise ChannelUnavailable(f"channel {slug!r}: {error}") from error
    assert channel.channel_id is not None  # noqa: S101  # bound means that the id is known
    edges = await _edges(pool, stores, channel, joined(windows), first_window=first_window, limits=limits)
    wanted = edges.ids(joined(windows))
    assert wanted is not None  # noqa: S101  # every edge is known now
    covered = stores.covered(channel.channel_id)
    adopted = spool.adopt(channel.channel_id, run_id=run_id)
    spooled = IdRanges.of(r for part in adopted for r in part.covered)
    report = await fetch_history(
        pool,
        channel=channel,
        ranges=wanted - covered - spooled,
        spool=spool,
        run_id=run_id,
        piece_size=_PIECE,
        max_sessions=limits.max_sessions,
        max_wait=limits.max_wait,
        max_trouble=limits.max_wait,
    )
    return ChannelBatch(
        channel=channel,
        windows=tuple(windows),
        edges=edges,
        wanted=wanted,
        covered=wanted & covered,
        parts=tuple(StagedPart(part=part) for part in (*adopted, *report.parts)),
        fetched=report.fetched,
        adopted=sum(part.rows for part in adopted),
        requests=report.requests,
        floods=report.floods,
        rotations=report.rotations,
        retired=report.retired,
        seconds=report.seconds,
        resume_at=report.resume_at,
        reason=report.reason,
    )


async def _bound(pool: SessionPool, stores: Stores, channel: Channel, limits: Limits) -> Channel:
    """The channel with its numeric id: looked up at the first run, and from then on the channel's identity."""
    if channel.channel_id is not None:
        return channel

    async def resolve(lease: Lease) -> Channel:
        found = await channel_for(lease, channel)
        stores.channels.bind(channel.slug, found)
        return replace(channel, channel_id=found.channel_id)

    return await ask(pool, resolve, max_wait=limits.max_wait, max_trouble=limits.max_wait, method=RESOLVE)


async def _edges(
    pool: SessionPool,
    stores: Stores,
    channel: Channel,
    windows: Sequence[Window],
    *,
    first_window: datetime,
    limits: Limits,
) -> Boundaries:
    """Where the windows begin and end. Telegram is asked for what is not known; for the newest id if one is open."""
    assert channel.channel_id is not None  # noqa: S101  # the caller bound it
    now = datetime.now(UTC)
    known = stores.channels.boundaries(channel.channel_id)
    edges = Boundaries(known=known, top_id=None, first_window=first_window, now=now)
    if edges.ids(windows) is not None:
        return edges

    async def look_up(lease: Lease) -> Boundaries:
        nonlocal edges
        info = await channel_for(lease, channel)
        if edges.needs_top(windows) and edges.top_id is None:
            top = await top_of(lease, info)
            stores.channels.record_top(
                info.channel_id,
                top_message_id=top.message_id,
                message_count=top.count,
                pts=top.pts,
                is_count_inexact=top.is_inexact,
            )
            # A newest message that is deleted by now is still an id to account for, as the completeness check does.
            known_top = stores.channels.top_message_id(info.channel_id) or 0
            edges = replace(edges, top_id=max(top.message_id, known_top))
        while unknown := edges.unknown(windows):
            first_id = edges.clamped(unknown[0], await first_id_since(lease, info, unknown[0]))
            stores.channels.save_boundaries(info.channel_id, {unknown[0]: first_id})
            edges = replace(edges, known={**edges.known, unknown[0]: first_id})
        return edges

    return await ask(
        pool, look_up, channel_id=channel.channel_id, max_wait=limits.max_wait, max_trouble=limits.max_wait
    )
