"""From a call to an event: who it is about, what it is called, whose clock is right, and what led to it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from tidings.accounts.model import Identifiers
from tidings.activity.calls import MESSAGE_ID_CHARACTERS, VIEWS, Call, context_traits
from tidings.activity.chain import Node
from tidings.activity.model import COMPANY_CALLS, Event
from tidings.contacts.model import Identity, IdentityKind
from tidings.contacts.rules import ID_BYTES, is_blocked
from tidings.core.errors import InvalidInput
from tidings.core.ids import contact_of_message, new_id

# The parameter that links in our mails carry: the id of the message.
MESSAGE_PARAMETER = "tid"
_MESSAGE_ID = re.compile(r"[a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who sends calls: a key of a workspace, and the device at the other end.

    `publishable` if the key is one that anybody can read in a browser, and so the device is a person's own; then
    `source_ip` and `user_agent` are theirs. `identifiers` are the workspace's rules of ids. `waited` is how long the
    request waited for its function, which says nothing about the device's clock.
    """

    workspace: str
    publishable: bool = False
    source_ip: str = ""
    user_agent: str = ""
    identifiers: Identifiers = field(default_factory=Identifiers)
    waited: timedelta = timedelta()


def to_event(reporter: Reporter, call: Call, received_at: datetime) -> Event:
    """The event that a call makes. Raises InvalidInput if nobody is named, or not what the call is about."""
    user, anonymous = ids_in(reporter, call)
    if not user and not anonymous:
        raise InvalidInput("no_user_anon_id", "A message needs a userId or an anonymousId.", "userId")
    identity = Identity(IdentityKind.USER if user else IdentityKind.ANONYMOUS, user or anonymous)
    return event_under(identity, reporter, call, received_at)


def ids_in(reporter: Reporter, call: Call) -> tuple[str, str]:
    """The user id and the anonymous id that a call gives; empty for none, and for one that never leads to anybody."""
    return (
        _person(reporter, IdentityKind.USER, call.user_id, "userId"),
        _person(reporter, IdentityKind.ANONYMOUS, call.anonymous_id, "anonymousId"),
    )


def event_under(identity: Identity, reporter: Reporter, call: Call, received_at: datetime) -> Event:
    """The event that a call makes, kept under an identity. Raises InvalidInput if it lacks what it is about."""
    user, anonymous = ids_in(reporter, call)
    happened, clamped = corrected(call.timestamp, call.sent_at, received_at, reporter.waited)
    name, properties = _said(call)
    return Event(
        workspace=reporter.workspace,
        identity=identity,
        message_id=call.message_id.strip() or new_id(),
        type=call.type,
        name=name,
        received_at=received_at,
        timestamp=happened,
        user_id=user,
        anonymous_id=anonymous,
        original_timestamp=call.timestamp,
        sent_at=call.sent_at,
        properties=properties,
        traits=_traits(call),
        context=_context(reporter, call),
        group_id=_company(call) if call.type in COMPANY_CALLS else "",
        previous_id=_previous(reporter, call, user) if call.type == "alias" else "",
        publishable=reporter.publishable,
        clamped=clamped,
        cause=_cause(call),
    )


def corrected(
    original: datetime | None, sent: datetime | None, received: datetime, waited: timedelta = timedelta()
) -> tuple[datetime, bool]:
    """When it happened by our clock: received - (sent - original) (Segment, common fields).

    What the request `waited` for us before it was received is our delay and not the clock's. Without `sent` the clock
    of the client cannot be judged and is believed; without `original` it happened when received. Never in the future:
    then it happened when received, and the second value is true.
    """
    if original is None:
        return received, False
    try:
        happened = original if sent is None else received - waited - (sent - original)
    except OverflowError:
        return received, sent is not None and original > sent
    return min(happened, received), happened > received


def view_name(kind: str, category: str, name: str) -> str:
    """What a page or screen call is called: "Viewed Docs Pricing Page", without what is missing."""
    return " ".join(word for word in ("Viewed", category, name, kind.title()) if word)


def _person(reporter: Reporter, kind: IdentityKind, value: str, field: str) -> str:
    """An id that may lead to somebody; empty if it is one of those that never do. Raises InvalidInput."""
    text = value.strip()
    if is_blocked(text):
        return ""
    return "" if reporter.identifiers.blocks(kind.value, _short(text, field)) else text


def _previous(reporter: Reporter, call: Call, user: str) -> str:
    """The other id that an alias names. Raises InvalidInput."""
    previous = _person(reporter, IdentityKind.ANONYMOUS, call.previous_id, "previousId")
    if not previous or reporter.identifiers.blocks(IdentityKind.USER.value, previous):
        raise InvalidInput("missing_previous_id", "An alias call needs a previousId.", "previousId")
    if not user:
        raise InvalidInput("missing_user_id", "An alias call needs a userId.", "userId")
    return previous


def _company(call: Call) -> str:
    """The id of the company that a call names. Raises InvalidInput."""
    group = call.group_id.strip()
    if is_blocked(group):
        raise InvalidInput("missing_group_id", f"A call of the type {call.type} needs a groupId.", "groupId")
    return _short(group, "groupId")


def _short(value: str, field: str) -> str:
    if len(value.encode()) > ID_BYTES:
        raise InvalidInput("id_too_long", f"{field} is at most {ID_BYTES} bytes.", field)
    return value


def _said(call: Call) -> tuple[str, dict[str, Any]]:
    """What the event is called, and its properties.

    A page or screen has a name and a category, at the top or in the properties: triggers and conditions find both in
    the event's name and as properties.
    """
    if call.type not in VIEWS:
        return call.event.strip(), call.properties
    given = {"category": call.category, "name": call.name}
    words = {part: (value or _text(call.properties.get(part))).strip() for part, value in given.items()}
    told = {part: value for part, value in words.items() if value}
    return view_name(call.type, words["category"], words["name"]), {**call.properties, **told}


def _traits(call: Call) -> dict[str, Any]:
    """The person's traits, or the company's."""
    if call.type == "identify":
        return {**context_traits(call), **call.traits}
    return call.traits if call.type == "group" else {}


def _context(reporter: Reporter, call: Call) -> dict[str, Any]:
    """The context as it is kept. A server's address says nothing about a person, so only a browser's is added."""
    context = {name: value for name, value in call.context.items() if name != "traits"}
    if not reporter.publishable:
        return context
    seen = {"ip": reporter.source_ip, "userAgent": reporter.user_agent}
    return {**context, **{name: value for name, value in seen.items() if value and not context.get(name)}}


def _cause(call: Call) -> Node | None:
    """The message whose link led to the page that a call was made on."""
    for value in _addresses(call):
        query = value.partition("?")[2].partition("#")[0] if "?" in value else value
        if f"{MESSAGE_PARAMETER}=" not in query:
            continue
        for told in parse_qs(query).get(MESSAGE_PARAMETER, ()):
            if len(told) <= MESSAGE_ID_CHARACTERS and _MESSAGE_ID.fullmatch(told) and contact_of_message(told):
                return Node.message(told)
    return None


def _addresses(call: Call) -> Iterator[str]:
    page = call.context.get("page")
    for place in (page, call.properties):
        if isinstance(place, Mapping):
            yield from (place[name] for name in ("search", "url") if isinstance(place.get(name), str))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
