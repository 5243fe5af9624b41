"""Text messages as they are sent, and as they would be."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from tidings_cli.openapi.answers.base import Shape

Count = Annotated[int, Field(ge=0)]
Encoding = Literal["GSM", "Unicode"]


class ProviderSaid(Shape):
    """What End User Messaging says to a text that it is only to look at."""

    takes: bool
    error: str


class SmsTried(Shape):
    """What would become of an order: nothing was sent, and nothing is kept."""

    dry_run: Literal[True]
    contact: str | None
    """The contact; none for a number that nobody has."""
    kind: Literal["marketing", "transactional"]
    decision: dict[str, Any]
    provider: ProviderSaid | None
    """None where nobody would be asked, since the decision says no."""
    text: str | None
    sender: str | None
    encoding: Encoding | None
    units: Count | None
    parts: Count | None
    price: str | None
    """In USD, of all parts, where the setup says what one costs in that country."""


class SignShown(Shape):
    """A character that GSM lacks, its place in the text from 0, and what `gsm7` would put there."""

    character: str
    at: Count
    by: str | None


class Length(Shape):
    """A text, and how many parts it has."""

    text: str
    encoding: Encoding
    units: Count
    parts: Count


class SmsPreview(Length):
    """A text as a phone would show it, and what makes it cost more parts."""

    template: str | None
    version: Count | None
    contact: str | None
    kind: Literal["marketing", "transactional"]
    sender: str | None
    price: str | None
    too_long: bool
    """Whether End User Messaging takes no text of that length."""
    missing: list[str]
    """Variables that came out as nothing."""
    forces_unicode: list[SignShown]
    with_gsm7: Length
