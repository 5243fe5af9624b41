"""Components that send a message, or ask whether one may be sent."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from tidings.automations.components.base import Component, Link, to
from tidings.automations.components.choices import Decides
from tidings.automations.definition.names import ComponentId, Name, spelled

# Outcomes of messages that went, or may have: from then on theirs is the closest conversation.
WENT = frozenset({"accepted", "unknown"})


class Sends(Component):
    """What all components that send have: what is sent, as what, and what comes after it.

    `conversation` says where answers go: `new` opens a conversation once the person answers, `follow_up` continues the
    closest one before it on this way. Not written, an answer continues whatever conversation is open.
    """

    type: str
    template: Name
    kind: Literal["marketing", "transactional"] | None = None
    topic: Name | None = None
    conversation: Literal["new", "follow_up"] | None = None
    next: ComponentId | None = None
    on_skipped: ComponentId | None = None
    on_unknown: Literal["hold", "resend"] = "hold"

    def links(self) -> list[Link]:
        skipped = to("skipped", "next", self.next)
        if self.on_skipped is not None:
            skipped = to("skipped", "on_skipped", self.on_skipped)
        return [to("accepted", "next", self.next), skipped, to("unknown", "next", self.next)]


class SendEmail(Sends):
    """Sends an e-mail. `on_skipped` leads on when it may not be sent (default: `next`).

    `kind` is what the template says unless it is named here, and marketing where neither does; so is `topic`.

    `on_unknown` says what happens when neither the provider's answer nor its events ever come: `hold` leaves the
    message as unknown, `resend` takes the risk of a second copy.
    """

    function: ClassVar[str] = "send_email"

    type: Literal["send_email"]


_PRICE = r"^[0-9]{1,2}\.[0-9]{1,5}$"
_PRICE_RULE = 'must be a price in USD such as "0.05", in quotes'
Price = Annotated[str, AfterValidator(spelled(_PRICE, _PRICE_RULE)), Field(json_schema_extra={"pattern": _PRICE})]


class SendSms(Sends):
    """Sends a text message, as `send_email` does a mail.

    `sender` is a sender ID or a number, if not what is planned for the country; `two_way` asks for one that receives
    answers. `gsm7` replaces typographic characters, as else the template says. `max_price` is what a part may cost at
    most, in USD such as "0.05"; `lifetime` how long the carrier may try, in seconds, at most 3 days.
    """

    function: ClassVar[str] = "send_sms"

    type: Literal["send_sms"]
    sender: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    two_way: bool = False
    gsm7: bool | None = None
    max_price: Price | None = None
    lifetime: Annotated[int, Field(ge=5, le=259_200)] | None = None


class CheckSuppression(Decides):
    """Asks whether a message may go to the contact on a channel, without sending anything.

    Without `kind` it asks for the suppression list and the rules that hold for every message; with it for consents too.
    """

    function: ClassVar[str] = "check_suppression"

    type: Literal["check_suppression"]
    channel: Literal["email", "sms"]
    kind: Literal["marketing", "transactional"] | None = None
    topic: Name | None = None
    clear: ComponentId | None = None
    suppressed: ComponentId | None = None

    def links(self) -> list[Link]:
        return [to("clear", "clear", self.clear), to("suppressed", "suppressed", self.suppressed)]
