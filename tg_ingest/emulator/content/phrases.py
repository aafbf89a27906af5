"""Readable sentences out of templates and word lists; the lists themselves are in the modules named by language."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tg_ingest.emulator.content.draw import Rnd, pick

_Sentence = tuple[tuple[tuple[str, Sequence[str]], ...], str]  # (literal, words of the slot after it)…, last literal


@dataclass(frozen=True, slots=True)
class Book:
    """Everything needed to write about one topic in one language."""

    headlines: tuple[_Sentence, ...]
    sentences: tuple[_Sentence, ...]
    hashtags: tuple[str, ...]
    space: str  # between sentences: Chinese and Japanese have none
    right_to_left: bool

    def headline(self, rnd: Rnd) -> str:
        """Write a headline."""
        return _fill(rnd, pick(rnd, self.headlines))

    def sentence(self, rnd: Rnd) -> str:
        """Write one sentence."""
        return _fill(rnd, pick(rnd, self.sentences))

    def paragraph(self, rnd: Rnd, sentences: int) -> str:
        """Write that many sentences, no two alike as long as there are enough."""
        first, known = int(rnd() * len(self.sentences)), len(self.sentences)
        return self.space.join([_fill(rnd, self.sentences[(first + i) % known]) for i in range(sentences)])


def book(
    *,
    headlines: str = "",
    sentences: str,
    hashtags: str = "",
    space: str = " ",
    right_to_left: bool = False,
    **slots: str,
) -> Book:
    """Compile a book: templates one a line with {slots}, words and hashtags separated by |."""
    words = {slot: tuple(text.split("|")) for slot, text in slots.items()}
    compiled = _compile(sentences, words)
    return Book(
        headlines=_compile(headlines, words) if headlines else compiled,
        sentences=compiled,
        hashtags=tuple(hashtags.split("|")) if hashtags else (),
        space=space,
        right_to_left=right_to_left,
    )


def _compile(lines: str, words: dict[str, tuple[str, ...]]) -> tuple[_Sentence, ...]:
    compiled: list[_Sentence] = []
    for line in lines.strip().splitlines():
        *parts, tail = re.split(r"\{(\w+)\}", line.strip())
        slots = tuple((parts[i], words[parts[i + 1]]) for i in range(0, len(parts), 2))
        compiled.append((slots, tail))
    return tuple(compiled)


def _fill(rnd: Rnd, sentence: _Sentence) -> str:
    slots, tail = sentence
    text = "".join([literal + words[int(rnd() * len(words))] for literal, words in slots]) + tail
    return text[0].upper() + text[1:]
