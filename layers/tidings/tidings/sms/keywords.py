"""The keywords of a workspace: words that people answer, what each means, and what is sent back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.core.clock import Clock
from tidings.core.errors import Conflict, InvalidInput, NotFound, Unavailable
from tidings.core.store import ConditionFailed
from tidings.sms.model import ANYWHERE, Setup
from tidings.sms.numbers import read_number
from tidings.sms.words import RESERVED, WORDS, Keyword, fold, keywords_of, taken_words

KEYWORDS_MOST = 100
# Of all together: they stand in the workspace's item, which has room for 400 KB and is read by every function.
KEYWORDS_BYTES = 100_000
WORDS_MOST = 20
# As AWS has them: https://docs.aws.amazon.com/sms-voice/latest/userguide/keywords.html
WORD_CHARACTERS = 30
ANSWER_CHARACTERS = 1600
NAME_PATTERN = r"^[a-z][a-z0-9-]{0,62}$"
TRIES = 5


class KeywordInput(BaseModel):
    """A keyword as it is defined: words of 1 to 30 characters, what they mean, and a text or template sent back.

    `meaning` is a word of the owner's, such as `confirm`; it stands in the event `SMS Received`. `stop`, `start` and
    `help` add words to what STOP, START and HELP do, and say what is answered to them; they may have no word of their
    own. `number` is one of the workspace's or `*`, `language` two or three letters or `*`.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    words: Annotated[tuple[str, ...], Field(strict=False, max_length=WORDS_MOST)] = ()
    meaning: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
    number: Annotated[str, Field(max_length=20)] = ANYWHERE
    language: Annotated[str, Field(pattern=r"^([a-z]{2,3}|\*)$")] = ANYWHERE
    answer: Annotated[str, Field(max_length=ANSWER_CHARACTERS)] = ""
    template: Annotated[str, Field(pattern=r"^([a-z][a-z0-9-]{0,62})?$")] = ""


class KeywordService:
    """Defines, shows and takes away keywords."""

    def __init__(self, workspaces: DynamoWorkspaceStore, clock: Clock) -> None:
        self._workspaces = workspaces
        self._clock = clock

    def all(self, workspace_id: str) -> list[dict[str, Any]]:
        """The workspace's keywords, by name."""
        return [one.as_dict() for one in keywords_of(Setup.of(self._workspace(workspace_id)))]

    def show(self, workspace_id: str, name: str) -> dict[str, Any]:
        """A keyword. Raises NotFound."""
        return _own(self._workspace(workspace_id), name).as_dict()

    def define(self, workspace_id: str, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Define a keyword, in the place of one of its name; what comes in is held against it within a minute.

        Raises InvalidInput, NotFound for its number, and Conflict where a word of it means something already.
        """
        new = read_keyword(name, body, self._clock.now())
        for _ in range(TRIES):
            workspace = self._workspace(workspace_id)
            setup = Setup.of(workspace)
            if new.number != ANYWHERE and new.number not in setup.numbers:
                raise NotFound("unknown_number", "The workspace has no such number.", "number")
            others = [one for one in keywords_of(setup) if one.name != name]
            require_free(others, new)
            if len(others) >= KEYWORDS_MOST:
                raise Conflict("too_many_keywords", f"A workspace has {KEYWORDS_MOST} keywords at most.")
            if size_of([*others, new]) > KEYWORDS_BYTES:
                told = f"The keywords of a workspace have {KEYWORDS_BYTES} bytes at most: shorten an answer."
                raise Conflict("too_many_keywords", told)
            if self._keep(workspace, [*others, new]):
                return new.as_dict()
        raise Unavailable("sms_contended", "What the workspace sends texts from kept changing.")

    def remove(self, workspace_id: str, name: str) -> None:
        """Take a keyword away. Raises NotFound."""
        for _ in range(TRIES):
            workspace = self._workspace(workspace_id)
            _own(workspace, name)
            if self._keep(workspace, [one for one in keywords_of(Setup.of(workspace)) if one.name != name]):
                return
        raise Unavailable("sms_contended", "What the workspace sends texts from kept changing.")

    def _keep(self, workspace: Workspace, keywords: Iterable[Keyword]) -> bool:
        kept = [_entry(one) for one in sorted(keywords, key=lambda one: one.name)]
        try:
            self._workspaces.change_sms(workspace, {**workspace.sms, "keywords": kept})
        except ConditionFailed:
            return False
        return True

    def _workspace(self, workspace_id: str) -> Workspace:
        found = self._workspaces.get(workspace_id, consistent=True)
        if found is None:
            raise NotFound("unknown_workspace", "There is no such workspace.", "workspace")
        return found


def size_of(keywords: Iterable[Keyword]) -> int:
    """What keywords take where they are kept, in bytes."""
    return len(json.dumps([_entry(one) for one in keywords], separators=(",", ":"), ensure_ascii=False).encode())


def read_keyword(name: str, body: Mapping[str, Any], now: datetime) -> Keyword:
    """A keyword from a JSON object. Raises InvalidInput naming the field."""
    if not re.fullmatch(NAME_PATTERN, name):
        told = "A name has small letters, digits and hyphens, begins with a letter and has 63 characters at most."
        raise InvalidInput("invalid_keyword", told, "keyword")
    try:
        told_of = KeywordInput.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InvalidInput("invalid_keyword", f"{field}: {first['msg']}.", field) from error
    number = told_of.number if told_of.number == ANYWHERE else read_number(told_of.number)
    words = tuple(" ".join(word.split()) for word in told_of.words)
    new = Keyword(name, words, told_of.meaning, number, told_of.language, told_of.answer.strip(), told_of.template)
    _require_sound(new)
    if new.answer:
        _require_text(new.answer, now)
    return new


def require_free(others: Iterable[Keyword], new: Keyword) -> None:
    """Refuse words that mean something else already: on the same number in the same language, or everywhere.

    STOP, START and HELP hold in every language and come first, so that their words cannot be anything else anywhere.
    """
    others = list(others)
    for word, other in taken_words(others, new):
        raise _taken(word, other.name)
    for other in others:
        both = new.folded & other.folded
        meet = ANYWHERE in (new.number, other.number) or new.number == other.number
        if both and meet and new.meaning != other.meaning and (new.is_reserved or other.is_reserved):
            raise _taken(min(both), other.name)


def _require_sound(new: Keyword) -> None:
    for word in new.words:
        if not 1 <= len(word) <= WORD_CHARACTERS or not fold(word):
            told = f"A word has 1 to {WORD_CHARACTERS} characters, and more than punctuation."
            raise InvalidInput("invalid_keyword", told, "words")
        for meaning in RESERVED:
            if fold(word) in WORDS[meaning] and meaning != new.meaning:
                told = f"{word} is one of AWS's words for {meaning.upper()}, and can mean nothing else."
                raise InvalidInput("invalid_keyword", told, "words")
    if not new.words and not new.is_reserved:
        raise InvalidInput("invalid_keyword", "A keyword has at least one word.", "words")
    if new.answer and new.template:
        raise InvalidInput("invalid_keyword", "A keyword is answered by a text or by a template.", "template")


def _require_text(answer: str, now: datetime) -> None:
    """That an answer can be rendered, as a template could be."""
    from tidings.messages.lint import examine  # late: most keywords are only read

    errors = examine({"template": "answer", "channel": "sms", "kind": "transactional", "text": answer}, now).errors
    if errors:
        raise InvalidInput("invalid_keyword", f"answer: {errors[0].message}", "answer")


def _entry(keyword: Keyword) -> dict[str, Any]:
    kept = keyword.as_dict()
    del kept["keyword"]
    return {"name": keyword.name, **{name: value for name, value in kept.items() if value}}


def _own(workspace: Workspace, name: str) -> Keyword:
    found = next((one for one in keywords_of(Setup.of(workspace)) if one.name == name), None)
    if found is None:
        raise NotFound("unknown_keyword", "The workspace has no such keyword.", "keyword")
    return found


def _taken(word: str, name: str) -> Conflict:
    return Conflict("keyword_taken", f"{word} means something already: see the keyword {name}.", "words")
