"""Texts with entities: posts and chat lines, and texts that break what is not written with care.

Offsets and lengths of entities count UTF-16 code units (https://core.telegram.org/api/entities).
"""

# ruff: noqa: PLR2004  # the numbers are shares of all messages and sizes of made-up things

from collections.abc import Callable
from datetime import UTC, datetime

from telethon.tl import types as tl

from tg_ingest.emulator.content import arabic, east_asian, english, hebrew, hindi, hostile, people, russian, spanish
from tg_ingest.emulator.content.draw import Rnd, between, bits62, pick
from tg_ingest.emulator.content.phrases import Book

LONGEST = 4096  # UTF-16 code units of a text message; https://limits.tginfo.me and config.message_length_max
LONGEST_CAPTION = 1024

BOOKS: dict[str, dict[str, Book]] = {
    "english": {
        "news": english.NEWS,
        "tech": english.TECH,
        "football": english.FOOTBALL,
        "cooking": english.COOKING,
        "chat": english.CHAT,
    },
    "spanish": {
        "news": spanish.NEWS,
        "football": spanish.FOOTBALL,
        "cooking": spanish.COOKING,
        "chat": spanish.CHAT,
    },
    "russian": {"news": russian.NEWS, "tech": russian.TECH, "chat": russian.CHAT},
    "arabic": {"news": arabic.NEWS, "cooking": arabic.COOKING, "chat": arabic.CHAT},
    "hebrew": {"news": hebrew.NEWS, "chat": hebrew.CHAT},
    "chinese": {"news": east_asian.CHINESE_NEWS, "tech": east_asian.CHINESE_TECH, "chat": east_asian.CHINESE_CHAT},
    "japanese": {
        "news": east_asian.JAPANESE_NEWS,
        "cooking": east_asian.JAPANESE_COOKING,
        "chat": east_asian.JAPANESE_CHAT,
    },
    "hindi": {"news": hindi.NEWS, "cooking": hindi.COOKING, "chat": hindi.CHAT},
}

# One code point beyond the BMP, ZWJ sequences, flags, skin tones, keycaps, variation selectors.
EMOJI = (
    "📰",
    "🚢",
    "⚽",
    "🔥",
    "🎉",
    "🥘",
    "👍🏽",
    "👩🏾‍💻",
    "👨‍👩‍👧‍👦",
    "🏳️‍🌈",
    "🇪🇸",
    "🇯🇵",
    "🇺🇦",
    "🏴󠁧󠁢󠁳󠁣󠁴󠁿",
    "❤️‍🔥",
    "1️⃣",
    "☀️",
    "🤦🏻‍♂️",
    "🧑🏿‍🚀",
    "⚓",
)
LINKS = (
    "https://example.org/harbour/2024/05/bridge?id=17&ref=tg",
    "https://example.com/путь/статья",
    "http://example.net/a_b(c)#section-2",
    "https://t.me/harbor_news/120",
    "tg://resolve?domain=harbor_news",
    "example.org/short",
)
CODE = (
    ("python", "for page in walk(history):\n\tstore(page)  # never twice"),
    ("sql", "select count(*) from messages where text <> '';"),
    ("", "$ tail -n 5 /var/log/ferry.log"),
    ("json", '{"ok": true, "path": "C:\\\\new\\\\table"}'),
)


def utf16_length(text: str) -> int:
    """How long Telegram says a text is."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


class StyledText:
    """A text that grows at its end, and the entities over its pieces."""

    __slots__ = ("_length", "_parts", "entities")

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self.entities: list[tl.TypeMessageEntity] = []

    def add(self, piece: str, kind: type | None = None, *details: object, also: type | None = None) -> None:
        """Append a piece; give `kind` (and `also`) as the class of the entity that covers it."""
        length = utf16_length(piece)
        for entity in (kind, also):
            if entity is not None:
                self.entities.append(entity(self._length, length, *(details if entity is kind else ())))
        self._parts.append(piece)
        self._length += length

    def __str__(self) -> str:
        return "".join(self._parts)


def write_post(rnd: Rnd, book: Book, *, date: int, sentences: int) -> StyledText:
    """Write what a broadcast channel posts: a headline, a paragraph or two, hashtags."""
    text = StyledText()
    if rnd() < 0.35:  # some posts open with an emoji
        if rnd() < 0.2:
            text.add(pick(rnd, EMOJI), tl.MessageEntityCustomEmoji, bits62(rnd))
        else:
            text.add(pick(rnd, EMOJI))
        text.add(" ")
    text.add(book.headline(rnd), tl.MessageEntityBold, also=tl.MessageEntityItalic if rnd() < 0.1 else None)
    text.add("\n\n")
    text.add(book.paragraph(rnd, sentences))
    if rnd() < 0.45:  # less than half of the posts are decorated further
        text.add("\n" if rnd() < 0.5 else " ")
        pick(rnd, ORNAMENTS)(text, rnd, book, date)
    if book.hashtags and rnd() < 0.4:
        text.add("\n\n")
        text.add(pick(rnd, book.hashtags), tl.MessageEntityHashtag)
    return text


def write_line(rnd: Rnd, chat: Book, book: Book, *, date: int) -> StyledText:
    """Write what people write in a group: mostly one line."""
    text = StyledText()
    text.add(chat.sentence(rnd) if rnd() < 0.55 else book.paragraph(rnd, 1 + int(rnd() * 2)))
    if rnd() < 0.15:
        text.add(" ")
        pick(rnd, ORNAMENTS)(text, rnd, book, date)
    if rnd() < 0.12:
        text.add(" " + pick(rnd, EMOJI))
    return text


def write_longest(rnd: Rnd, book: Book) -> StyledText:
    """Write a text of exactly the greatest length that Telegram takes: prose, or emoji of two code units each."""
    text = StyledText()
    if rnd() < 0.4:
        text.add(pick(rnd, ("🚢", "🔥", "🎉", "😀")) * (LONGEST // 2))
        return text
    prose = book.headline(rnd)
    while utf16_length(prose) < LONGEST:
        prose += book.space + book.paragraph(rnd, 8)
    prose = prose.encode("utf-16-le")[: 2 * LONGEST].decode("utf-16-le", errors="ignore").rstrip()
    text.add(prose + "." * (LONGEST - utf16_length(prose)))
    return text


def write_hostile(rnd: Rnd) -> StyledText:
    """Take one of the texts that break a careless reader."""
    text = StyledText()
    text.add(pick(rnd, hostile.TEXTS))
    return text


def _mention_person(text: StyledText, rnd: Rnd, _book: Book, _date: int) -> None:
    user_id = people.FIRST_USER_ID + between(rnd, 0, 200)
    text.add(people.full_name(user_id), tl.MessageEntityMentionName, user_id)


def _formatted_date(text: StyledText, _rnd: Rnd, _book: Book, date: int) -> None:
    text.add("18:30", tl.MessageEntityFormattedDate, datetime.fromtimestamp(date + 7200, UTC))


def _code_block(text: StyledText, rnd: Rnd, _book: Book, _date: int) -> None:
    language, code = pick(rnd, CODE)
    text.add(code, tl.MessageEntityPre, language)


def _sentence(kind: type, *details: object) -> Callable[[StyledText, Rnd, Book, int], None]:
    def ornament(text: StyledText, rnd: Rnd, book: Book, _date: int) -> None:
        text.add(book.sentence(rnd), kind, *details)

    return ornament


def _fixed(kind: type, *options: str) -> Callable[[StyledText, Rnd, Book, int], None]:
    def ornament(text: StyledText, rnd: Rnd, _book: Book, _date: int) -> None:
        text.add(pick(rnd, options), kind)

    return ornament


def _text_url(text: StyledText, rnd: Rnd, book: Book, _date: int) -> None:
    text.add(book.headline(rnd), tl.MessageEntityTextUrl, pick(rnd, LINKS))


def _custom_emoji(text: StyledText, rnd: Rnd, _book: Book, _date: int) -> None:
    text.add(pick(rnd, EMOJI), tl.MessageEntityCustomEmoji, bits62(rnd))


def _nested(text: StyledText, rnd: Rnd, book: Book, _date: int) -> None:
    text.add(pick(rnd, EMOJI) + " " + book.headline(rnd), tl.MessageEntityBold, also=tl.MessageEntityUnderline)


ORNAMENTS: tuple[Callable[[StyledText, Rnd, Book, int], None], ...] = (
    _text_url,
    _text_url,
    _fixed(tl.MessageEntityUrl, *LINKS),
    _fixed(tl.MessageEntityUrl, *LINKS),
    _sentence(tl.MessageEntityItalic),
    _sentence(tl.MessageEntityBlockquote),
    _sentence(tl.MessageEntityBlockquote, True),  # collapsed
    _sentence(tl.MessageEntitySpoiler),
    _sentence(tl.MessageEntityStrike),
    _sentence(tl.MessageEntityUnderline),
    _nested,
    _custom_emoji,
    _mention_person,
    _formatted_date,
    _code_block,
    _fixed(tl.MessageEntityMention, "@harbor_news", "@severny_kod", "@mesa_larga"),
    _fixed(tl.MessageEntityCode, "git pull --rebase", "VACUUM", "`", "a\\b"),
    _fixed(tl.MessageEntityCashtag, "$EUR", "$TIDE"),
    _fixed(tl.MessageEntityEmail, "desk@example.org", "ferry.office@example.com"),
    _fixed(tl.MessageEntityPhone, "+1 202 555 0143", "+1 202 555 0178"),
    _fixed(tl.MessageEntityBotCommand, "/start", "/timetable@gif_harbour_bot"),
    _fixed(tl.MessageEntityBankCard, "4242 4242 4242 4242"),
)
