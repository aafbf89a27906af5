"""Attachments of messages. File references and access hashes are filled, but no file can be downloaded."""

# ruff: noqa: PLR2004, RUF001  # the numbers are shares of all messages and sizes of made-up things

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from telethon.tl import types as tl

from tg_ingest.emulator.content import people
from tg_ingest.emulator.content.draw import Rnd, between, bits62, octets, pick, stream

_thumb_stream = stream(20)
# Telegram strips the header of the smallest preview: a 1, height and width, then JPEG data.
_STRIPPED = tuple(b"\x01\x1a\x28" + octets(_thumb_stream, 120 + 20 * (i % 7)) for i in range(64))
_SITES = (
    ("Harbour Daily", "https://example.org/harbour/", "article"),
    ("Lantern Video", "https://video.example.com/watch?v=", "video"),
    ("Caféteria del Faro", "https://example.net/año/", "article"),
    ("Северный Код", "https://example.com/код/", "document"),
)
_PLACES = (
    ("Lantern Quay", "12 Rope Walk", 51.4982, -2.6213),
    ("Mercado de la Sal", "Calle del Faro 3", 36.5271, -6.2886),
    ("سوق السمك", "الميناء الشمالي", 33.9016, 35.5193),
    ("北码头", "东窗街 8 号", 31.2402, 121.4906),
)
_FILES = (
    ("council minutes (final) v2.pdf", "application/pdf"),
    ("смета_2024.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("backup.tar.gz", "application/gzip"),
    ("../../etc/passwd", "text/plain"),
    ("تقرير.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
)
_STICKERS = ("😀", "🚢", "🦀", "👍🏻", "❤️")
_SONGS = (("Low Tide", "The Ropewalkers"), ("Маяк", "Северный ветер"), ("La Sal", "Los del Muelle"))
_QUESTIONS = (
    ("Should the night ferry run in winter?", ("Yes", "No", "Only at weekends")),
    ("¿Quién gana el derbi?", ("Racing del Faro", "Real Puente", "Empate 🤝")),
    ("Что обновить первым?", ("Базу", "Ядро", "Документацию", "Ничего не трогать")),
    ("你喜欢哪一种汤？", ("豆腐汤", "鱼汤")),
)
_DICE = (("🎲", 6), ("🎯", 6), ("🏀", 5), ("🎰", 64), ("⚽", 5))


def _at(timestamp: int) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)


def photo(rnd: Rnd, *, date: int) -> tl.Photo:
    """A photo of the usual sizes."""
    return tl.Photo(
        id=bits62(rnd),
        access_hash=bits62(rnd),
        file_reference=octets(rnd, 29),
        date=_at(date),
        sizes=[
            tl.PhotoStrippedSize("i", pick(rnd, _STRIPPED)),
            tl.PhotoSize("m", 320, 213, between(rnd, 9_000, 30_000)),
            tl.PhotoSize("x", 800, 533, between(rnd, 40_000, 120_000)),
            tl.PhotoSizeProgressive("y", 1280, 853, [9_000, 28_000, 61_000, 110_000, between(rnd, 150_000, 250_000)]),
        ],
        dc_id=2,
    )


def document(rnd: Rnd, mime_type: str, attributes: list[tl.TypeDocumentAttribute], *, date: int) -> tl.Document:
    """A file of 100 kB to 100 MB."""
    return tl.Document(
        id=bits62(rnd),
        access_hash=bits62(rnd),
        file_reference=octets(rnd, 29),
        date=_at(date),
        mime_type=mime_type,
        size=between(rnd, 10**5, 10**8),
        dc_id=2,
        attributes=attributes,
        thumbs=[tl.PhotoStrippedSize("i", pick(rnd, _STRIPPED)), tl.PhotoSize("m", 320, 180, 12_345)],
    )


def media_of(kind: str, rnd: Rnd, *, date: int) -> tl.TypeMessageMedia | None:
    """Build the attachment of a kind; None where the kind has none."""
    build = _BUILDERS.get(kind)
    return build(rnd, date) if build else None


def _photo(rnd: Rnd, date: int) -> tl.MessageMediaPhoto:
    oddity = rnd()
    if oddity < 0.01:  # self-destructed: the photo is gone, its timer is left
        return tl.MessageMediaPhoto(ttl_seconds=30)
    return tl.MessageMediaPhoto(photo=photo(rnd, date=date), spoiler=oddity > 0.97)


def _video(rnd: Rnd, date: int) -> tl.MessageMediaDocument:
    attributes = [
        tl.DocumentAttributeVideo(round(rnd() * 300, 3), 1280, 720, supports_streaming=True),
        tl.DocumentAttributeFilename(f"clip_{between(rnd, 1, 10**6)}.mp4"),
    ]
    return tl.MessageMediaDocument(video=True, document=document(rnd, "video/mp4", attributes, date=date))


def _round(rnd: Rnd, date: int) -> tl.MessageMediaDocument:
    attributes: list[tl.TypeDocumentAttribute] = [
        tl.DocumentAttributeVideo(round(rnd() * 60, 2), 384, 384, round_message=True)
    ]
    return tl.MessageMediaDocument(video=True, round=True, document=document(rnd, "video/mp4", attributes, date=date))


def _animation(rnd: Rnd, date: int) -> tl.MessageMediaDocument:
    attributes = [
        tl.DocumentAttributeVideo(3.2, 480, 270, nosound=True),
        tl.DocumentAttributeFilename("wave.gif.mp4"),
        tl.DocumentAttributeAnimated(),
    ]
    return tl.MessageMediaDocument(document=document(rnd, "video/mp4", attributes, date=date))


def _file(rnd: Rnd, date: int) -> tl.MessageMediaDocument:
    name, mime_type = pick(rnd, _FILES)
    return tl.MessageMediaDocument(document=document(rnd, mime_type, [tl.DocumentAttributeFilename(name)], date=date))


def _audio(rnd: Rnd, date: int) -> tl.MessageMediaDocument:
    title, performer = pick(rnd, _SONGS)
    attributes = [
        tl.DocumentAttributeAudio(between(rnd, 90, 400), title=title, performer=performer),
        tl.DocumentAttributeFilename(f"{performer} - {title}.mp3"),
    ]
    return tl.MessageMediaDocument(document=document(rnd, "audio/mpeg", attributes, date=date))


def _voice(rnd: Rnd, date: int) -> tl.MessageMediaDocument:
    attributes: list[tl.TypeDocumentAttribute] = [
        tl.DocumentAttributeAudio(between(rnd, 1, 90), voice=True, waveform=octets(rnd, 63))
    ]
    return tl.MessageMediaDocument(voice=True, document=document(rnd, "audio/ogg", attributes, date=date))


def _sticker(rnd: Rnd, date: int) -> tl.MessageMediaDocument:
    attributes = [
        tl.DocumentAttributeImageSize(512, 512),
        tl.DocumentAttributeSticker(pick(rnd, _STICKERS), tl.InputStickerSetID(bits62(rnd), bits62(rnd))),
        tl.DocumentAttributeFilename("sticker.webp"),
    ]
    return tl.MessageMediaDocument(document=document(rnd, "image/webp", attributes, date=date))


def _webpage(rnd: Rnd, date: int) -> tl.MessageMediaWebPage:
    oddity = rnd()
    if oddity < 0.03:
        return tl.MessageMediaWebPage(tl.WebPagePending(bits62(rnd), _at(date), url="https://example.org/slow"))
    site, address, kind = pick(rnd, _SITES)
    url = f"{address}{between(rnd, 1000, 99999)}"
    page = tl.WebPage(
        id=bits62(rnd),
        url=url,
        display_url=url.partition("//")[2],
        hash=0,
        type=kind,
        site_name=site,
        title=f"{site}: no. {between(rnd, 1, 400)}",
        description="Pictures, background and what happens next, from our reporters at the quay.",
        photo=photo(rnd, date=date) if oddity > 0.4 else None,
    )
    return tl.MessageMediaWebPage(page)


def _poll(rnd: Rnd, _date: int) -> tl.MessageMediaPoll:
    question, answers = pick(rnd, _QUESTIONS)
    options = [bytes([48 + i]) for i in range(len(answers))]
    voters = [between(rnd, 0, 900) for _ in answers]
    quiz = rnd() < 0.2
    return tl.MessageMediaPoll(
        tl.Poll(
            id=bits62(rnd),
            question=tl.TextWithEntities(question, []),
            answers=[
                tl.PollAnswer(tl.TextWithEntities(text, []), option)
                for text, option in zip(answers, options, strict=True)
            ],
            hash=0,
            closed=rnd() < 0.5,
            quiz=quiz,
            public_voters=rnd() < 0.2,
        ),
        tl.PollResults(
            results=[
                tl.PollAnswerVoters(option, voters=count, correct=quiz and i == 0, recent_voters=[])
                for i, (option, count) in enumerate(zip(options, voters, strict=True))
            ],
            total_voters=sum(voters),
            solution="Look at the timetable." if quiz else None,
            solution_entities=[] if quiz else None,
        ),
    )


def _point(rnd: Rnd) -> tl.GeoPoint:
    _, _, latitude, longitude = pick(rnd, _PLACES)
    return tl.GeoPoint(longitude + rnd() / 50, latitude + rnd() / 50, bits62(rnd))


def _venue(rnd: Rnd, _date: int) -> tl.MessageMediaVenue:
    title, address, latitude, longitude = pick(rnd, _PLACES)
    point = tl.GeoPoint(longitude, latitude, bits62(rnd))
    return tl.MessageMediaVenue(point, title, address, "foursquare", octets(rnd, 12).hex(), "shops_service/harbor")


def _contact(rnd: Rnd, _date: int) -> tl.MessageMediaContact:
    user_id = people.FIRST_USER_ID + between(rnd, 0, 200)
    phone = f"+12025550{between(rnd, 100, 200)}"  # reserved for fiction
    return tl.MessageMediaContact(phone, people.full_name(user_id), "", "", user_id)


def _invoice(rnd: Rnd, _date: int) -> tl.MessageMediaInvoice:
    return tl.MessageMediaInvoice(
        "Lantern ticket", "One evening on the quay", "EUR", between(rnd, 500, 5000), "lantern"
    )


def _giveaway(rnd: Rnd, date: int) -> tl.MessageMediaGiveaway:
    until = _at(date) + timedelta(days=7)
    return tl.MessageMediaGiveaway([2_200_000_101], between(rnd, 1, 20), until, months=3, prize_description="a mug")


def _paid(rnd: Rnd, _date: int) -> tl.MessageMediaPaidMedia:
    preview = tl.MessageExtendedMediaPreview(1280, 720, tl.PhotoStrippedSize("i", pick(rnd, _STRIPPED)))
    return tl.MessageMediaPaidMedia(between(rnd, 5, 500), [preview])


def _story(rnd: Rnd, _date: int) -> tl.MessageMediaStory:
    return tl.MessageMediaStory(tl.PeerUser(people.FIRST_USER_ID + between(rnd, 0, 200)), between(rnd, 1, 90))


def _todo(rnd: Rnd, date: int) -> tl.MessageMediaToDo:
    tasks = ("buy flour", "ask for the key", "повесить гирлянду", "traer sillas")
    items = [tl.TodoItem(i + 1, tl.TextWithEntities(task, [])) for i, task in enumerate(tasks)]
    done = [tl.TodoCompletion(1, tl.PeerUser(people.FIRST_USER_ID + between(rnd, 0, 200)), _at(date + 600))]
    return tl.MessageMediaToDo(tl.TodoList(tl.TextWithEntities("For the market", []), items), completions=done)


def _dice(rnd: Rnd, _date: int) -> tl.MessageMediaDice:
    emoticon, faces = pick(rnd, _DICE)
    return tl.MessageMediaDice(between(rnd, 1, faces + 1), emoticon)


def _game(rnd: Rnd, date: int) -> tl.MessageMediaGame:
    game = tl.Game(bits62(rnd), bits62(rnd), "tidewell", "Tidewell", "Catch the ferry.", photo(rnd, date=date))
    return tl.MessageMediaGame(game)


_BUILDERS: dict[str, Callable[[Rnd, int], tl.TypeMessageMedia]] = {
    "photo": _photo,
    "video": _video,
    "round": _round,
    "animation": _animation,
    "document": _file,
    "audio": _audio,
    "voice": _voice,
    "sticker": _sticker,
    "webpage": _webpage,
    "poll": _poll,
    "geo": lambda rnd, _: tl.MessageMediaGeo(_point(rnd)),
    "geo_live": lambda rnd, _: tl.MessageMediaGeoLive(_point(rnd), 3600, heading=between(rnd, 1, 360)),
    "venue": _venue,
    "contact": _contact,
    "invoice": _invoice,
    "giveaway": _giveaway,
    "paid": _paid,
    "story": _story,
    "todo": _todo,
    "dice": _dice,
    "game": _game,
    "unsupported": lambda _, __: tl.MessageMediaUnsupported(),
}
