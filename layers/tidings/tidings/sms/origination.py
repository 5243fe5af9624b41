"""What a text message leaves from: asked for, planned for its country, or the only thing that there is."""

from __future__ import annotations

from dataclasses import dataclass

from tidings.consent.model import Kind
from tidings.sms.model import Origin, Setup


@dataclass(frozen=True, slots=True)
class Choice:
    """What a message leaves from, or why from nothing; `alternatives` are names that would work instead."""

    origin: Origin | None
    found: str
    alternatives: tuple[str, ...] = ()


def choose(setup: Setup, country: str, kind: Kind, asked: str = "", two_way: bool = False) -> Choice:
    """What a message of a kind to a country (ISO 3166, two letters) leaves from: `asked`, else what the plan says.

    Whatever is not active for the country is refused, with what would work. Reads nothing.
    """
    raise NotImplementedError
