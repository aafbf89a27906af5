"""What changes at every look: reactions and poll results as JSON without whatever is of the looking account."""

import base64
from typing import Any

import orjson
from telethon.tl import types


def _reaction(reaction: Any) -> tuple[str, str | int | None]:
    kind = type(reaction)
    if kind is types.ReactionEmoji:
        return "emoji", reaction.emoticon
    if kind is types.ReactionCustomEmoji:
        return "custom", reaction.document_id
    return ("paid", None) if kind is types.ReactionPaid else ("empty", None)


def reactions_of(reactions: Any) -> tuple[int | None, str | None]:
    """Count all reactions; list them, most frequent first, as `[{"kind": emoji|custom|paid, "value", "count"}]`."""
    if reactions is None:
        return None, None
    counted = [(result.count, *_reaction(result.reaction)) for result in reactions.results]
    # Telegram puts the reactions of the looking account first; the order must not tell.
    counted.sort(key=lambda r: (-r[0], r[1], str(r[2])))
    listed = [{"kind": kind, "value": value, "count": count} for count, kind, value in counted]
    return sum(r[0] for r in counted), orjson.dumps(listed).decode()


def poll_results_of(media: Any) -> str | None:
    """Serialise a poll's state as `{"total_voters", "closed", "answers": [{"option", "text", "voters", ...}]}`."""
    if type(media) is not types.MessageMediaPoll:
        return None
    texts = {answer.option: answer.text.text for answer in media.poll.answers if type(answer) is types.PollAnswer}
    answers = [
        {
            "option": base64.b64encode(answer.option).decode(),
            "text": texts.get(answer.option),
            "voters": answer.voters,
            "correct": bool(answer.correct),
        }
        for answer in media.results.results or ()
    ]
    state = {"total_voters": media.results.total_voters, "closed": bool(media.poll.closed), "answers": answers}
    return orjson.dumps(state).decode()
