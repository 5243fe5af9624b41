"""Phone numbers that texts leave from and are answered on, and the words that people answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from tidings_cli.openapi.answers.base import Shape

Kind = Literal["marketing", "transactional"]
Language = Annotated[str, Field(pattern=r"^([a-z]{2,3})?$")]


class NumberShown(Shape):
    """A number, as it was when it was added last."""

    number: str
    country: str
    """ISO 3166, two letters."""
    kinds: list[Kind]
    """The kinds of messages that leave from it."""
    two_way: bool
    """Whether answers to it come here."""
    self_managed: bool
    """Whether Tidings answers STOP, START and HELP; else AWS does, and Tidings is silent."""
    pool: str
    opt_out_list: str
    type: Literal["short_code", "long_code", "toll_free", "ten_dlc", "simulator", ""]
    language: str
    """That of the people who write to it; empty for the main one of its country."""


class NumberLooked(NumberShown):
    """A number, and what stands in its way by what AWS says now."""

    todo: list[str]
    """What is to be done, in words; empty where nothing is."""


class Numbers(Shape):
    """Numbers, in their order."""

    numbers: list[NumberShown]


class NumberOrder(Shape):
    """What a number is to be. What is left out stays as it is."""

    two_way: Literal[True] | SkipJsonSchema[None] = Field(
        None, description="Set it up at AWS so that answers come here."
    )
    self_managed: bool | SkipJsonSchema[None] = Field(
        None, description="Set up at AWS whether Tidings answers STOP (true) or AWS (false)."
    )
    kinds: list[Kind] = Field([], max_length=2)
    """Left out, the kind that AWS has the number for."""
    language: Language = ""


class Removed(Shape):
    """It was taken away."""

    removed: Literal[True]


class KeywordShown(Shape):
    """Words that people answer, what they mean, and what is sent back."""

    keyword: str
    words: list[str]
    meaning: str
    number: str
    """A number of the workspace, or `*` for any."""
    language: str
    """Two or three letters, or `*` for any."""
    answer: str
    template: str


class Keywords(Shape):
    """Keywords, by name."""

    keywords: list[KeywordShown]


class KeywordOrder(Shape):
    """A keyword as it is defined. It is answered by `answer`, a text, or by `template`, the name of one, or not."""

    words: list[str] = Field([], max_length=20)
    """Of 1 to 30 characters each. Only a whole text is a word; capitals and punctuation around it do not matter."""
    meaning: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
    """A word of your own, such as `confirm`; `stop`, `start` and `help` add to what those are."""
    number: Annotated[str, Field(max_length=20)] = "*"
    language: Annotated[str, Field(pattern=r"^([a-z]{2,3}|\*)$")] = "*"
    answer: Annotated[str, Field(max_length=1600)] = ""
    template: Annotated[str, Field(pattern=r"^([a-z][a-z0-9-]{0,62})?$")] = ""
