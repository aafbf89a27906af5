"""The channels and accounts of the worlds that come with the emulator. Every name in them is made up."""

from tg_ingest.emulator.content.spec import ChannelSpec, Topic
from tg_ingest.emulator.world import AccountSpec, LimitSpec

DEMO_CHANNELS = (
    ChannelSpec(
        channel_id=2_200_000_101,
        username="harbor_news",
        title="Harbour Daily ⚓",
        about="Everything that floats, and some things that sink. Noticias del puerto, también en español.",
        ids=23_000,
        voices=(("english", 0.7), ("spanish", 0.3)),
        participants=48_200,
        linked_id=2_200_000_102,
    ),
    ChannelSpec(
        channel_id=2_200_000_102,
        username="harbor_talk",
        title="Harbour Daily: comments",
        about="Discussion of @harbor_news. Be kind.",
        kind="supergroup",
        ids=8_500,
        voices=(("english", 0.7), ("spanish", 0.3)),
        participants=3_900,
        people=420,
        linked_id=2_200_000_101,
        growth=4.0,
        starts_after_months=5,
    ),
    ChannelSpec(
        channel_id=2_200_000_103,
        username="severny_kod",
        title="Северный Код",
        about="Свободные программы, базы данных и немного железа.",
        subject="tech",
        ids=9_000,
        voices=(("russian", 0.85), ("english", 0.15)),
        participants=17_400,
    ),
    ChannelSpec(
        channel_id=2_200_000_104,
        username="qamar_wire",
        title="قمر · קמר · Qamar Wire",
        about="أخبار الميناء والسوق · חדשות הנמל והשוק",
        ids=6_200,
        voices=(("arabic", 0.6), ("hebrew", 0.4)),
        participants=9_800,
        stretches=((2_741, 3_163),),  # 422 ids: at every page size, whole pages of nothing
    ),
    ChannelSpec(
        channel_id=2_200_000_105,
        username="east_window",
        title="东窗 East Window 東の窓",
        about="新闻、技术、料理 — समाचार",
        ids=4_600,
        voices=(("chinese", 0.4), ("japanese", 0.35), ("hindi", 0.25)),
        participants=6_100,
        growth=1.2,
        starts_after_months=11,
    ),
    ChannelSpec(
        channel_id=2_200_000_106,
        username="cancha_abierta",
        title="Cancha Abierta ⚽",
        about="Fútbol de la costa, sin insultos (casi).",
        kind="supergroup",
        subject="football",
        ids=8_200,
        voices=(("spanish", 0.8), ("english", 0.2)),
        participants=2_300,
        people=310,
    ),
    ChannelSpec(
        channel_id=2_200_000_107,
        username="mesa_larga",
        title="Mesa Larga 🥘 the long table",
        about="Cooking in every language we can read.",
        kind="supergroup",
        subject="cooking",
        ids=7_000,
        voices=(("spanish", 0.3), ("english", 0.25), ("arabic", 0.15), ("japanese", 0.15), ("hindi", 0.15)),
        participants=1_750,
        people=240,
        topics=(
            Topic(message_id=2, title="Bread & dough"),
            Topic(message_id=3, title="Sopas y guisos", icon_color=0xFFD67E),
            Topic(message_id=5, title="مطبخ الجيران", icon_color=0xCB86DB),
            Topic(message_id=640, title="台所 · रसोई", icon_color=0x8EEE98),
            Topic(message_id=2_900, title="Market prices 💶", icon_color=0xFF93B2),
        ),
    ),
)

TINY_CHANNELS = (
    ChannelSpec(
        channel_id=2_200_000_201,
        username="tiny_news",
        title="Tiny News",
        ids=1_000,
        voices=(("english", 0.5), ("russian", 0.3), ("arabic", 0.2)),
        participants=900,
    ),
    ChannelSpec(
        channel_id=2_200_000_202,
        username="tiny_talk",
        title="Tiny Talk",
        kind="supergroup",
        subject="cooking",
        ids=560,
        voices=(("english", 0.5), ("spanish", 0.3), ("japanese", 0.2)),
        participants=120,
        people=40,
        topics=(Topic(message_id=2, title="Soups"), Topic(message_id=90, title="Cakes 🍰")),
    ),
)

# Telegram answers the 31st getHistory within 30 s with FLOOD_WAIT; the demo runs thirty times faster.
_DEMO_LIMITS = {
    "messages.getHistory": LimitSpec(kind="sliding", requests=30, seconds=1.0, wait=3),
    "contacts.resolveUsername": LimitSpec(kind="sliding", requests=20, seconds=10.0, wait=5),
    "channels.getFullChannel": LimitSpec(kind="sliding", requests=20, seconds=5.0),
}

# Numbers that start with 99966 exist on Telegram's test servers only: https://core.telegram.org/api/auth#test-accounts
# The demo fetches about 650 pages, a third with each account: the flag and the revocation fall into its middle.
DEMO_ACCOUNTS = (
    AccountSpec(label="demo-1", user_id=6_900_000_001, phone="9996620001", limits=_DEMO_LIMITS),
    AccountSpec(
        label="demo-2", user_id=6_900_000_002, phone="9996620002", limits=_DEMO_LIMITS, flag_after=100, flag_seconds=600
    ),
    AccountSpec(label="demo-3", user_id=6_900_000_003, phone="9996620003", limits=_DEMO_LIMITS, revoke_after=90),
)


def unlimited_accounts(world: str, count: int) -> tuple[AccountSpec, ...]:
    """Accounts that nothing befalls."""
    return tuple(
        AccountSpec(label=f"{world}-{n}", user_id=6_900_000_100 + n, phone=f"99966201{n:02}")
        for n in range(1, count + 1)
    )


def bench_channel(messages: int, *, templates: int) -> ChannelSpec:
    """A broadcast channel of any size, stamped out of templates."""
    return ChannelSpec(
        channel_id=2_200_000_301,
        username="bench",
        title="Bench",
        ids=messages,
        voices=(("english", 0.4), ("russian", 0.4), ("chinese", 0.1), ("arabic", 0.1)),
        participants=120_000,
        templates=templates,
        verbosity=4.8,
        growth=1.0,
    )
