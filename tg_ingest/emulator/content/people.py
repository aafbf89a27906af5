"""The people who write in supergroups: names in several scripts, a few bots, a few deleted accounts."""

# ruff: noqa: PLR2004  # the numbers are shares of all messages and sizes of made-up things

from functools import lru_cache

from telethon.tl import types as tl

from tg_ingest.emulator.content.draw import bits62, pick, stream

FIRST_USER_ID = 6_100_000_000  # beyond 32 bits, as Telegram's newer ids are
BOT_IDS = (6_000_000_001, 6_000_000_002, 6_000_000_003)
BOT_NAMES = ("gif_harbour_bot", "quiz_lantern_bot", "vote_tidewell_bot")

_NAMES = (
    "Ada Whitlock|Tom Brandt|Ines Calloway|Priya Nair|Sam Okonjo|Lena Lindqvist|Marco Marchetti|Zoë Hale|Noor Haddad",
    "Inés Calero|Tomás Bravo|Lucía Ocampo|Iker Duarte|Sofía Reyes|Mateo Peña|José Ángel Núñez",
    "Ольга Ветрова|Иван Рожков|Мария Ёлкина|Пётр Щукин|Алёна Быстрова|Глеб Жаров",
    "سامر حداد|نور الخطيب|ليلى منصور|نبيل عون|هدى قاسم",
    "נועה ברק|יואב לוי|תמר שחר|דניאל פרץ",
    "林晓雯|王海|陈思远|李小雨",
    "森川 葵|佐藤 健|山本 ゆき",
    "प्रिया शर्मा|अर्जुन मेहता|कविता जोशी",
    "💫 Luna|xX_Rover_Xx|O'Brien, Jr.|<b>Bold</b>|Łukasz|ᴛɪᴅᴇ|a",
)
_EVERYBODY = tuple(tuple(names.split("|")) for names in _NAMES)
_DELETED_ONE_IN = 40
_USERNAME_SHARE = 0.6


def member(channel_id: int, index: int) -> int:
    """The user id of a channel's index-th member; channels share some members."""
    return FIRST_USER_ID + channel_id % 97 + index


@lru_cache(maxsize=4096)
def user(user_id: int) -> tl.User:
    """A person of the world; the same id is the same person in every channel."""
    rnd = stream(user_id)
    access_hash = bits62(rnd)
    if user_id in BOT_IDS:
        name = BOT_NAMES[BOT_IDS.index(user_id)]
        return tl.User(
            id=user_id, bot=True, bot_info_version=1, access_hash=access_hash, first_name=name, username=name
        )
    if not int(rnd() * _DELETED_ONE_IN):
        return tl.User(id=user_id, deleted=True, access_hash=access_hash)
    first, _, last = pick(rnd, pick(rnd, _EVERYBODY)).partition(" ")
    return tl.User(
        id=user_id,
        access_hash=access_hash,
        first_name=first,
        last_name=last or None,
        username=f"member_{user_id % 100_000}" if rnd() < _USERNAME_SHARE else None,
        premium=rnd() < 0.1,  # one in ten
        photo=tl.UserProfilePhoto(photo_id=bits62(rnd), dc_id=2) if rnd() < 0.7 else None,  # most do
        status=tl.UserStatusRecently(),
    )


@lru_cache(maxsize=4096)
def user_bytes(user_id: int) -> bytes:
    """The person, serialised."""
    return bytes(user(user_id))


def full_name(user_id: int) -> str:
    """How clients show the person."""
    person = user(user_id)
    return " ".join(part for part in (person.first_name, person.last_name) if part) or "Deleted Account"
