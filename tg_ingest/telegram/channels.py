"""From a registered channel to what one account needs to read it: an access hash of its own."""

from tg_ingest.accounts import Channel, ChannelInfo
from tg_ingest.errors import AccessLost, ChannelUnavailable
from tg_ingest.telegram.lease import Lease


async def channel_for(lease: Lease, channel: Channel) -> ChannelInfo:
    """Return the channel as this account sees it; resolves the username at most once per account.

    Raises `AccessLost` when the account has no way to the channel, and `ChannelUnavailable` when the username belongs
    to nobody or, an alarm, to another channel than the one that was registered: the numeric id is the identity.
    """
    if channel.channel_id is not None:
        known = await lease.known_channel(channel.channel_id)
        if known is not None:
            return known
    if channel.username is None:
        raise AccessLost("NO_ACCESS_HASH")
    found = await lease.resolve_username(channel.username)
    if channel.channel_id is not None and found.channel_id != channel.channel_id:
        raise ChannelUnavailable(
            f"@{channel.username} now belongs to another channel (id {found.channel_id}); "
            f"'{channel.slug}' is the one with id {channel.channel_id}"
        )
    return found
