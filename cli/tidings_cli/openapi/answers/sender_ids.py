"""Names that text messages leave from, and what an owner says of text messages."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from tidings_cli.openapi.answers.base import Cursor, Instant, Shape

State = Literal["requested", "verified", "accepted", "active", "rejected", "expired", "retired"]
Country = Annotated[str, Field(pattern="^[A-Z]{2}$", examples=["PL"])]
Names = Literal["not_supported", "registration", "free"]


class PlaceShown(Shape):
    """A sender ID in one country: only where it is `active` do messages leave from it."""

    state: Literal["wanted", "registering", "active", "refused", "rejected", "expired", "retired"]
    told: str
    """What is to be done there, or why AWS refused it."""
    registration: str
    """AWS's id of its registration; empty where there is none."""
    look_at: Instant | None
    """When AWS is asked again; null where nothing is waited for."""


class ApprovalShown(Shape):
    """Who decided, and when."""

    by: str
    at: Instant


class SenderIdShown(Shape):
    """A sender ID, and what became of it in each country."""

    name: str
    state: State
    countries: dict[str, PlaceShown]
    purpose: str
    sample: str
    requested_at: Instant
    requested_by: str
    approvals: dict[str, ApprovalShown]
    """By what was decided: `verify`, `accept`, `reject`."""
    reason: str
    """Why it was rejected, or ended otherwise."""
    waits_for: Literal["", "verify", "accept"]
    """The decision that it waits for."""
    reminded: int
    """How often somebody was reminded that it waits."""
    expires_at: Instant | None
    """When it expires if nobody decides."""


class SenderIds(Shape):
    """Sender IDs, by name."""

    sender_ids: list[SenderIdShown]


class SenderIdChange(Shape):
    """One change of a sender ID."""

    at: Instant
    what: Literal[
        "requested", "verified", "accepted", "rejected", "reminded", "expired", "registering", "active", "refused",
        "retired", "released",
    ]  # fmt: skip
    who: str
    """The actor of the key, else its name; `tidings` for what came by itself."""
    state: State
    """Where the sender ID stood then."""
    country: str
    """The country that it is about, or the countries that were asked for."""
    reason: str


class SenderIdLog(Shape):
    """What changed in a sender ID, the latest first."""

    log: list[SenderIdChange]
    cursor: Cursor


class SenderIdOrder(Shape):
    """A name to ask for."""

    name: str = Field(description="3 to 11 letters, digits, _ and -, at least one letter, no hyphen at an edge.")
    countries: list[Country] = Field(min_length=1, max_length=25, description="Where it is to be used.")
    purpose: str = Field(min_length=1, max_length=500, description="What the messages are for.")
    sample: str = Field(min_length=1, max_length=1600, description="A message as it will be sent.")


class Decision(Shape):
    """Why something was decided: a rejection has to say so."""

    reason: str | SkipJsonSchema[None] = Field(None, min_length=1, max_length=500)


class ReviewShown(Shape):
    """How long requests wait for a decision."""

    remind_every: str
    expires_after: str


class SmsSetup(Shape):
    """What text messages may leave from, and where."""

    plan: dict[str, dict[str, str]]
    """By country or `*`, by kind or `*`: a sender ID, a number, or `pool:ID`."""
    countries: dict[str, dict[str, Any]]
    """What the owner knows better than the table."""
    max_price: str | None
    lifetime: int | None
    short_url: str | None
    review: ReviewShown
    sender_ids: dict[str, dict[str, Literal["active", "registering"]]]
    """By name and country."""
    numbers: list[str]


class SmsSettingChange(Shape):
    """What a setting was and is; null where nothing was said."""

    setting: Literal["plan", "countries", "max_price", "lifetime", "short_url", "review"]
    before: dict[str, Any] | str | int | None
    after: dict[str, Any] | str | int | None
    left_out: list[Literal["before", "after"]]
    """What was too long to be kept (over 20,000 bytes), and is null for that."""


class SmsSetupChange(Shape):
    """One change of the setup."""

    at: Instant
    who: str
    """The actor of the key, else its name."""
    changes: list[SmsSettingChange]


class SmsSetupLog(Shape):
    """Who changed what in the setup, the latest first."""

    log: list[SmsSetupChange]
    cursor: Cursor


class CountryOrder(Shape):
    """What holds in a country, who says so, and since when."""

    sender_id: Names | SkipJsonSchema[None] = None
    two_way: bool | SkipJsonSchema[None] = None
    source: str = Field(min_length=1, max_length=200)
    date: str = Field(examples=["2026-11-22"])


class ReviewOrder(Shape):
    """How long requests wait for a decision, as lengths of time."""

    remind_every: str | SkipJsonSchema[None] = Field(None, examples=["3 days"])
    expires_after: str | SkipJsonSchema[None] = Field(None, examples=["14 days"], description="90 days at most.")


class SmsSetupOrder(Shape):
    """What to change: null takes a setting away, what is left out stays."""

    plan: dict[str, dict[str, str]] | None = Field(None, examples=[{"PL": {"marketing": "ACME"}}])
    countries: dict[str, CountryOrder] | None = None
    max_price: str | None = Field(None, description="The most that a part may cost, in USD.", examples=["0.05"])
    lifetime: int | None = Field(None, ge=5, le=259200, description="How long a carrier may try, in seconds.")
    short_url: str | None = Field(None, description="Where short links lead, with https.")
    review: ReviewOrder | None = None


class CountryShown(Shape):
    """What text messages may do in a country, and who says so."""

    country: Country
    sender_id: Names
    two_way: bool
    """Whether people there can answer."""
    source: str
    date: str
    note: str
    own: bool
    """Whether it is what the owner says."""


class CountriesShown(Shape):
    """What holds in every country."""

    countries: list[CountryShown]
