"""What a suppression and a check are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from tidings.contacts.merging import SOURCE


class Channel(StrEnum):
    """Ways to reach a person."""

    EMAIL = "email"
    SMS = "sms"


class Kind(StrEnum):
    """What a message is for; it decides which checks apply."""

    MARKETING = "marketing"
    TRANSACTIONAL = "transactional"


class Reason(StrEnum):
    """Why an address is suppressed."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"
    MANUAL = "manual"
    STOP = "stop"  # the person answered STOP to a text message: only their own START takes it back
    ERASED = "erased"  # the person had themselves erased: for good, and the address is kept as a keyed hash only


@dataclass(frozen=True, slots=True)
class Suppression:
    """An address that gets no message on a channel, until `expires_at` if that is set."""

    workspace: str
    channel: Channel
    address: str
    reason: Reason
    created_at: datetime
    source: str = ""
    expires_at: datetime | None = None

    def holds_at(self, now: datetime) -> bool:
        """Whether it is in force; time-to-live deletes late, so readers look themselves."""
        return self.expires_at is None or now < self.expires_at

    def as_dict(self) -> dict[str, Any]:
        """The entry as the API shows it."""
        return {
            "channel": self.channel.value,
            "address": self.address,
            "reason": self.reason.value,
            "source": self.source,
            "created_at": self.created_at,
            "expires_at": self.expires_at,
        }


class Reply(StrEnum):
    """What an address said about a topic."""

    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"
    PENDING = "pending"  # asked to confirm, and did not yet
    NEVER_ASKED = "never_asked"


class By(StrEnum):
    """Who gave a consent or took it back."""

    PERSON = "person"
    OPERATOR = "operator"
    IMPORT = "import"


@dataclass(frozen=True, slots=True)
class Proof:
    """How a consent came about: who gave it, where, when, from which IP address, to which words, by which mail."""

    by: By
    source: str
    at: datetime
    ip: str = ""
    wording: str = ""
    message: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The proof as the API shows it."""
        return {
            "by": self.by.value,
            "source": self.source,
            "at": self.at,
            "ip": self.ip,
            "wording": self.wording,
            "message": self.message,
        }


@dataclass(frozen=True, slots=True)
class Consent:
    """What an address said about a topic last; the topic `*` is all marketing on the channel.

    `confirmed` says that whoever reads the address's mail said so: by the link in a confirmation mail, or on the page
    that such a mail leads to. `asked` is the proof of a confirmation that is asked for while another reply stands.
    `before` is what a person's own no stands on: an operator's no from later, which their yes from between the two does
    not undo; and where a merge of contacts carried it here, what stood before, for when the merge is undone.
    """

    topic: str
    reply: Reply
    proof: Proof
    confirmed: bool = False
    asked: Proof | None = None
    before: Consent | None = None

    @property
    def pending(self) -> Proof | None:
        """Who asked for the confirmation that is still awaited, and when; None if none is."""
        return self.proof if self.reply is Reply.PENDING else self.asked

    @property
    def is_own_no(self) -> bool:
        """Whether the person themselves said no: nobody else undoes it."""
        return self.reply is Reply.UNSUBSCRIBED and self.proof.by is By.PERSON

    @property
    def is_carried(self) -> bool:
        """Whether a merge of contacts brought it here from another address of the person."""
        return self.is_own_no and self.proof.source.startswith(SOURCE)


EVERYTHING = "*"


class Asking(StrEnum):
    """What a topic needs before anything about it is sent."""

    OPT_IN = "opt_in"  # a yes
    DOUBLE_OPT_IN = "double_opt_in"  # a yes of whoever reads the mail
    OPT_OUT = "opt_out"  # no no


@dataclass(frozen=True, slots=True)
class Topic:
    """What marketing messages may be about; `confirmation` is the template that asks for a yes."""

    name: str
    title: str
    description: str = ""
    consent: Asking = Asking.OPT_IN
    confirmation: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The topic as the API shows it."""
        return {
            "topic": self.name,
            "title": self.title,
            "description": self.description,
            "consent": self.consent.value,
            "confirmation": self.confirmation,
        }


# What marketing is about that names no topic, unless the workspace defines it otherwise.
MARKETING = Topic("marketing", "News and offers", consent=Asking.OPT_OUT)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A change of what is known of an address: what was said about its consents or its suppression, when and by whom.

    `what` is `consent`, `suppression`, or `merge` for what came from another address of the person; `said` are its
    details.
    """

    workspace: str
    channel: Channel
    key: str
    at: datetime
    what: str
    said: Mapping[str, Any]
    id: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The entry as the API shows it."""
        return {"channel": self.channel.value, "at": self.at, "what": self.what, **self.said}


class Word(StrEnum):
    """What a person answers to end text messages, or to have them again. Of two at one instant the greater holds."""

    START = "start"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Answered:
    """The person's last such word: which, when by the provider's time, and to which number of ours.

    `message` is the provider's id of the message that it came with. Of several STOPs in a row, the first to come in
    is named, and the instant is that of the last. `ended` says of a START that it took a STOP back.
    """

    word: Word
    at: datetime
    message: str
    number: str = ""
    ended: bool = False

    @property
    def rank(self) -> tuple[datetime, str]:
        """Of two words the one that ranks higher holds, whatever the order in which they came in."""
        return self.at, self.word.value


@dataclass(frozen=True, slots=True)
class AddressRecord:
    """All that is known of an address on a channel: one item, read in one go.

    `key` is the keyed hash that it stands under. `soft_bounces` are instants by message. `revision` grows with every
    change, so that whoever decided by a record can see in one condition whether it still holds.

    `suppression` is what keeps messages from the address. Where the person answered STOP it is that, and `entry` is
    what stands on the list beside it: a START leaves that as it is. `answered` is the person's last word, and
    `carried_stops` are STOPs of other numbers of theirs: when each merge of contacts brought one here, by its source.
    """

    workspace: str
    channel: Channel
    key: str
    address: str
    suppression: Suppression | None = None
    consents: Mapping[str, Consent] = field(default_factory=dict)
    soft_bounces: Mapping[str, datetime] = field(default_factory=dict)
    revision: int = 0
    entry: Suppression | None = None
    answered: Answered | None = None
    carried_stops: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def is_stopped(self) -> bool:
        """Whether the person's last word was STOP."""
        return self.answered is not None and self.answered.word is Word.STOP

    @property
    def is_silent(self) -> bool:
        """Whether a STOP holds here: the person's last word, or that at another number of theirs."""
        return self.is_stopped or bool(self.carried_stops)


@dataclass(frozen=True, slots=True)
class Check:
    """One question asked before a message goes: its name, whether it passed, and what was found."""

    name: str
    passed: bool
    found: str

    def as_dict(self) -> dict[str, Any]:
        """The check as a decision record keeps it."""
        return {"check": self.name, "passed": self.passed, "found": self.found}
