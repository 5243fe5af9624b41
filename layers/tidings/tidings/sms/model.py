"""What text messages leave from, and a text message to be sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tidings.accounts.model import Workspace
from tidings.consent.model import Kind
from tidings.messages.orders import Answer, Order

ACTIVE = "active"
ANYWHERE = "*"

# By which delivery events name our message.
CONTEXT_MESSAGE = "tidings_message"
CONTEXT_WORKSPACE = "tidings_workspace"


@dataclass(frozen=True, slots=True)
class Number:
    """A phone number of ours. `kinds` are the kinds of messages that it takes, `country` is ISO 3166 (two letters).

    A number that is `two_way` receives answers. One that is `self_managed` leaves STOP and HELP to us; else AWS answers
    them itself, and Tidings stays silent. `pool` is the id of the AWS pool that it is in, empty for none; `opt_outs`
    names AWS's opt-out list of it. `type` is AWS's, such as `TOLL_FREE`; `language` that of the people who write to it,
    empty for the main one of its country.
    """

    number: str
    country: str
    kinds: tuple[Kind, ...] = tuple(Kind)
    two_way: bool = False
    self_managed: bool = False
    pool: str = ""
    opt_outs: str = "Default"
    type: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a workspace's text messages may leave from, and where: the workspace's `sms`, typed.

    `sender_ids` are names that were accepted, each with its state by country; only `active` ones are sent from. `plan`
    says by country, or `*` for any other, what is taken for each kind (or `*`): a sender ID, a number, or `pool:ID`.
    `countries` are what the owner knows better than the table of countries. `keywords` are words that people answer,
    `short_url` is where short links lead (empty for the workspace's `public_url`), `max_price` the most a part may cost
    in USD, `lifetime` how long a carrier may try, in seconds.
    """

    sender_ids: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    numbers: Mapping[str, Number] = field(default_factory=dict)
    plan: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    countries: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    keywords: tuple[Mapping[str, Any], ...] = ()
    short_url: str = ""
    max_price: str = ""
    lifetime: int = 0

    @classmethod
    def of(cls, workspace: Workspace) -> Setup:
        """The setup that a workspace has."""
        told = workspace.sms
        return cls(
            sender_ids=told.get("sender_ids") or {},
            numbers={number: _number(number, kept) for number, kept in (told.get("numbers") or {}).items()},
            plan=told.get("plan") or {},
            countries=told.get("countries") or {},
            keywords=tuple(told.get("keywords") or ()),
            short_url=str(told.get("short_url") or workspace.public_url).rstrip("/"),
            max_price=str(told.get("max_price") or ""),
            lifetime=int(told.get("lifetime") or 0),
        )


def _number(number: str, kept: Mapping[str, Any]) -> Number:
    kinds = tuple(Kind(kind) for kind in kept.get("kinds") or ()) or tuple(Kind)
    return Number(
        number=number,
        country=str(kept.get("country") or ""),
        kinds=kinds,
        two_way=bool(kept.get("two_way")),
        self_managed=bool(kept.get("self_managed")),
        pool=str(kept.get("pool") or ""),
        opt_outs=str(kept.get("opt_outs") or "Default"),
        type=str(kept.get("type") or ""),
        language=str(kept.get("language") or ""),
    )


@dataclass(frozen=True, slots=True)
class SmsOrder(Order):
    """An order for a text message. What it leaves open the template, the plan of countries or the setup says.

    `sender` is a sender ID, a number, or `pool:ID`. `max_price` is in USD for a part, `lifetime` in seconds (5 to
    259,200). `gsm7` replaces typographic characters. `two_way` asks for a sender that receives answers. `given` says
    that the `variables` are the words of whoever ordered it: the addresses of the web in them may become short links.
    `sent_as` is what the provider is asked to send it as, where the number is for another kind.
    """

    sender: str = ""
    max_price: str = ""
    lifetime: int = 0
    gsm7: bool | None = None
    two_way: bool = False
    given: bool = False
    sent_as: Kind | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """What a text message leaves from: a sender ID, a phone number, or a pool of numbers (`pool:ID`)."""

    name: str
    receives: bool = False

    @property
    def identity(self) -> str:
        """As SendTextMessage takes it."""
        return self.name.removeprefix("pool:")


@dataclass(frozen=True, slots=True)
class Text:
    """A text message as it is handed to the provider. `body` is what the phone shows; `links` are by their code."""

    origin: Origin
    country: str
    body: str
    encoding: str
    parts: int
    units: int
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Everything that SendTextMessage is told. `country_parameters` are what India wants to know: `IN_ENTITY_ID` and
    `IN_TEMPLATE_ID`. A `dry_run` is only looked at."""

    recipient: str
    origin: str
    body: str
    kind: Kind
    context: Mapping[str, str]
    max_price: str = ""
    lifetime: int = 0
    dry_run: bool = False
    country_parameters: Mapping[str, str] = field(default_factory=dict)


class SmsGateway(Protocol):
    """The provider: one attempt a call."""

    def send(self, text: Outgoing) -> Answer: ...
