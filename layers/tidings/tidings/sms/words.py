"""What people answer in one word: which words there are, and when a text is one of them. Pure; reads nothing.

**What counts.** The whole text is the word, and nothing else: `stop`, ` Stop! `, `STOP.` and `"STOP"` are STOP, `stop
it`, `don't stop` and `STOP 🙏` are not. Capitals do not matter, nor do spaces or punctuation around it (any character
that Unicode calls punctuation: who is told to answer "STOP" types the quotes too); several spaces within are one, and
wide or composed letters are their plain ones.

**What comes first.** STOP before START before HELP before the owner's own keywords. STOP, START and HELP are AWS's
words and the owner's, and the owner's count in every language: who writes STOP in any of them means it. A toll-free
number of the USA knows only STOP of AWS's words, since its carriers do.
https://docs.aws.amazon.com/sms-voice/latest/userguide/keywords.html
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tidings.consent.model import Word
from tidings.sms.model import ANYWHERE, Number, Setup

HELP = "help"
STOP, START = Word.STOP.value, Word.START.value
# In the order in which they are looked for.
RESERVED = (STOP, START, HELP)
WORDS: Mapping[str, frozenset[str]] = {
    STOP: frozenset(
        ["arret", "cancel", "end", "opt-out", "optout", "quit", "remove", "stop", "td", "unsubscribe"],
    ),
    START: frozenset(["start", "unstop"]),
    HELP: frozenset(["help"]),
}
TOLL_FREE_STOP = frozenset(["stop"])
TOLL_FREE = "TOLL_FREE"


@dataclass(frozen=True, slots=True)
class Keyword:
    """Words that people may answer, on a number or any (`*`), in a language or any (`*`), and what they mean.

    `meaning` is the owner's own, such as `confirm`, or one of `stop`, `start` and `help`, to which the words are added.
    `answer` is the text that is sent back, `template` the name of one; both empty for no answer of this keyword.
    """

    name: str
    words: tuple[str, ...]
    meaning: str
    number: str = ANYWHERE
    language: str = ANYWHERE
    answer: str = ""
    template: str = ""

    @property
    def folded(self) -> frozenset[str]:
        """Its words, as texts are compared with them."""
        return frozenset(fold(word) for word in self.words)

    @property
    def is_reserved(self) -> bool:
        """Whether it adds to STOP, START or HELP."""
        return self.meaning in RESERVED

    def concerns(self, number: str) -> bool:
        """Whether it holds for what comes to a number."""
        return self.number in (ANYWHERE, number)

    def as_dict(self) -> dict[str, Any]:
        """The keyword as the API shows it."""
        return {
            "keyword": self.name,
            "words": list(self.words),
            "meaning": self.meaning,
            "number": self.number,
            "language": self.language,
            "answer": self.answer,
            "template": self.template,
        }


@dataclass(frozen=True, slots=True)
class Match:
    """What a text means: the word as it was defined, its meaning, and the keywords that have it, best first."""

    word: str = ""
    meaning: str = ""
    keywords: tuple[Keyword, ...] = ()

    @property
    def ordered(self) -> Word | None:
        """STOP or START, where it is one."""
        return Word(self.meaning) if self.meaning in (STOP, START) else None


NOTHING = Match()


def fold(text: str) -> str:
    """A text as words are compared: what does not matter is gone. Folding again changes nothing."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    words = " ".join("".join(" " if _is_blank(letter) else letter for letter in plain).split())
    start, end = 0, len(words)
    while end and _is_around(words[end - 1]):
        end -= 1
    while start < end and _is_around(words[start]):
        start += 1
    return words[start:end]


def keywords_of(setup: Setup) -> tuple[Keyword, ...]:
    """The workspace's keywords, by name."""
    return tuple(sorted((_keyword(kept) for kept in setup.keywords), key=lambda one: one.name))


def match(setup: Setup, number: Number, text: str, language: str = "") -> Match:
    """What a text to a number means. `language` is that of the number: of keywords with one word its own comes first.

    Before those of other languages comes one for any; a keyword of the number itself comes before one for any number.
    """
    said = fold(text)
    if not said:
        return NOTHING
    having = [one for one in keywords_of(setup) if one.concerns(number.number) and said in one.folded]
    having.sort(key=lambda one: (one.number == ANYWHERE, one.language != language, one.language != ANYWHERE, one.name))
    for meaning in RESERVED:
        own = [one for one in having if one.meaning == meaning]
        if own or said in reserved_words(meaning, number):
            return Match(_as_defined(own, said) if own else said.upper(), meaning, tuple(own))
    if not having:
        return NOTHING
    same = tuple(one for one in having if one.meaning == having[0].meaning)
    return Match(_as_defined(same, said), same[0].meaning, same)


def reserved_words(meaning: str, number: Number) -> frozenset[str]:
    """The words that have a reserved meaning on a number, whoever owns it."""
    if meaning == STOP and number.type == TOLL_FREE and number.country == "US":
        return TOLL_FREE_STOP
    return WORDS[meaning]


def best(keywords: Iterable[Keyword], number: str, languages: Iterable[str]) -> Keyword | None:
    """Of keywords that answer, the one in the first of the languages that there is one in; else one for any language.

    In one language that of the number itself comes before one for any number.
    """
    answering = [one for one in keywords if one.concerns(number) and (one.answer or one.template)]
    answering.sort(key=lambda one: (one.number == ANYWHERE, one.name))
    for language in (*languages, ANYWHERE):
        found = next((one for one in answering if one.language == language), None)
        if found is not None:
            return found
    return None


def taken_words(keywords: Iterable[Keyword], new: Keyword) -> Iterator[tuple[str, Keyword]]:
    """Words that a new keyword has in common with another of the same number and language, and that other."""
    for other in keywords:
        if other.name == new.name or (other.number, other.language) != (new.number, new.language):
            continue
        for word in sorted(other.folded & new.folded):
            yield word, other


def _keyword(kept: Mapping[str, Any]) -> Keyword:
    return Keyword(
        name=str(kept.get("name") or ""),
        words=tuple(str(word) for word in kept.get("words") or ()),
        meaning=str(kept.get("meaning") or ""),
        number=str(kept.get("number") or ANYWHERE),
        language=str(kept.get("language") or ANYWHERE),
        answer=str(kept.get("answer") or ""),
        template=str(kept.get("template") or ""),
    )


def _as_defined(keywords: Iterable[Keyword], said: str) -> str:
    return next(word for one in keywords for word in one.words if fold(word) == said)


def _is_around(letter: str) -> bool:
    return letter == " " or unicodedata.category(letter).startswith("P")


def _is_blank(letter: str) -> bool:
    """Spaces of all kinds, and what is not seen at all."""
    return letter.isspace() or unicodedata.category(letter) in ("Cf", "Cc")
