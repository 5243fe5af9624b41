"""Finding contacts: by an id, an address, a message or words of a name, or all of them, page by page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from tidings.accounts.model import Identifiers
from tidings.contacts.index import KEY_BYTES, DynamoContactIndex, parts
from tidings.contacts.merging import NAMES, WORD_CHARACTERS, name_words, survivors, words_of
from tidings.contacts.model import UNIQUE_KINDS, Contact, Identity, IdentityKind
from tidings.contacts.rules import ID_BYTES, normalise_email
from tidings.contacts.store import DynamoContactStore
from tidings.core import cursors
from tidings.core.clock import from_text, to_text
from tidings.core.errors import InvalidInput
from tidings.core.ids import is_message_id

# How many contacts one request looks at, where a filter lets few of them through.
LOOKED_AT = 500
AT_ONCE = 100
SHORTEST = 2

FINDING = ("user_id", "anonymous_id", "email", "phone", "external_id", "message", "name")
PARAMETERS = frozenset({*FINDING, "external_type", "channel", "kind", "limit", "cursor"})
_IDS = {"user_id": IdentityKind.USER, "anonymous_id": IdentityKind.ANONYMOUS}
CHANNELS = {"email": IdentityKind.EMAIL, "sms": IdentityKind.PHONE}
PEOPLE = ("identified", "anonymous")


class OfContact(Protocol):
    """Something that belongs to a contact."""

    @property
    def contact(self) -> str: ...


class Messages(Protocol):
    """Where messages are looked up."""

    def get(self, workspace: str, message: str) -> OfContact | None: ...


@dataclass(frozen=True, slots=True)
class Question:
    """Which contacts are meant: those that one thing leads to, or all; reachable on a channel, or of a kind."""

    workspace: str
    by: str = ""
    identity: Identity | None = None
    message: str = ""
    words: tuple[str, ...] = ()
    channel: str = ""
    kind: str = ""

    @property
    def scope(self) -> tuple[str, ...]:
        """What a cursor is bound to."""
        asked = (str(self.identity or ""), self.message, " ".join(self.words), self.channel, self.kind)
        return (self.workspace, "contacts", self.by, *asked)

    @property
    def prefix(self) -> str:
        """The word that is looked up: the longest, which the fewest share."""
        return max(self.words, key=len)[:WORD_CHARACTERS] if self.words else ""

    def takes(self, contact: Contact) -> bool:
        """Whether a contact is one of those meant, as far as it tells itself."""
        if self.kind and contact.is_identified != (self.kind == "identified"):
            return False
        if self.channel and not _has_address(contact, CHANNELS[self.channel]):
            return False
        if not self.words:
            return True
        values = contact.values
        theirs = [w for name in NAMES if isinstance(values.get(name), str) for w in words_of(values[name])]
        return all(any(word.startswith(asked[:WORD_CHARACTERS]) for word in theirs) for asked in self.words)


@dataclass(frozen=True, slots=True)
class ContactPage:
    """Some contacts, and the cursor of the next page; empty at the end. A page may be short and still have a next."""

    contacts: list[Contact]
    cursor: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A contact that may be meant, and the place after it. `skipped` if it stands here only to be passed over."""

    place: list[str | int]
    contact: str
    skipped: bool = False


def read_question(workspace: str, query: Mapping[str, str], identifiers: Callable[[], Identifiers]) -> Question:
    """The question that a query asks. Raises InvalidInput; a parameter that is none is no filter that lets all through.

    `identifiers` tells how the workspace tells people apart, where that is needed.
    """
    unknown = sorted(query.keys() - PARAMETERS)
    if unknown:
        raise InvalidInput(
            "unknown_parameter", f"Contacts are not found by this: use {', '.join(FINDING)}.", unknown[0]
        )
    given = [name for name in FINDING if name in query]
    if len(given) > 1:
        raise InvalidInput("invalid_identity", f"Name at most one of {', '.join(FINDING)}.", given[1])
    by = given[0] if given else ""
    value = query[by].strip() if by else ""
    return Question(
        workspace=workspace,
        by=by,
        identity=_identity(by, value, query, identifiers),
        message=value if by == "message" else "",
        words=_words(value) if by == "name" else (),
        channel=_one_of("channel", query, tuple(CHANNELS)),
        kind=_one_of("kind", query, PEOPLE),
    )


def address_question(workspace: str, address: str) -> Question:
    """Who has an e-mail address or phone number, or had it. It is in the one spelling it is kept by."""
    if address.startswith("+"):
        return Question(workspace, "phone", Identity(IdentityKind.PHONE, address))
    return Question(workspace, "email", Identity(IdentityKind.EMAIL, address))


def _identity(by: str, value: str, query: Mapping[str, str], identifiers: Callable[[], Identifiers]) -> Identity | None:
    external = query.get("external_type", "").strip()
    if bool(external) != (by == "external_id"):
        raise InvalidInput("invalid_identity", "external_id and external_type are given together.", "external_type")
    if by == "email":
        return Identity(IdentityKind.EMAIL, _email(value))
    if by == "phone":
        return Identity(IdentityKind.PHONE, _phone(query[by], identifiers()))
    if by == "external_id":
        return Identity(IdentityKind.EXTERNAL, _short(f"{external}#{value}", by))
    return Identity(_IDS[by], _short(value, by)) if by in _IDS else None


def _email(value: str) -> str:
    text = normalise_email(value)
    if not text:
        raise InvalidInput("invalid_email", "This is not an e-mail address.", "email")
    return text


def _phone(value: str, identifiers: Identifiers) -> str:
    from tidings.contacts.phones import normalise_phone  # late: the library takes a while, and few questions need it

    # A plus sign that is not escaped in a query is a space.
    written = f"+{value.strip()}" if value.startswith(" ") else value
    text = normalise_phone(written, identifiers.default_country)
    if not text:
        told = "This is not a phone number; one without a country code needs the workspace's default country."
        raise InvalidInput("invalid_phone", told, "phone")
    return text


def _short(value: str, field: str) -> str:
    if len(value.encode()) > ID_BYTES:
        raise InvalidInput("id_too_long", f"{field} is at most {ID_BYTES} bytes.", field)
    return value


def _words(value: str) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(words_of(value)))
    if not words or max(map(len, words)) < SHORTEST:
        raise InvalidInput("query_too_short", f"A name is looked up by at least {SHORTEST} letters.", "name")
    return words


def _one_of(name: str, query: Mapping[str, str], values: Sequence[str]) -> str:
    value = query.get(name, "")
    if name in query and value not in values:
        if name == "channel":
            raise InvalidInput("unknown_channel", "channel is email or sms.", "channel")
        raise InvalidInput("unknown_kind", f"kind is {' or '.join(values)}.", "kind")
    return value


def _has_address(contact: Contact, kind: IdentityKind) -> bool:
    now = contact.email if kind is IdentityKind.EMAIL else contact.phone
    return Identity(kind, now) in contact.identities


class ContactSearch:
    """Answers questions, in an order that stays."""

    def __init__(self, index: DynamoContactIndex, contacts: DynamoContactStore, messages: Messages) -> None:
        self._index = index
        self._contacts = contacts
        self._messages = messages

    def page(self, question: Question, limit: int, cursor: str = "") -> ContactPage:
        """Up to `limit` contacts. Looks at no more than 500 and then stops short. Raises InvalidInput.

        Who is added meanwhile may come or not; nobody else is left out or comes twice.
        """
        place = _read_place(question, cursor)
        page: dict[str, Contact] = {}
        filtered = bool(question.words or question.channel or question.kind)
        for _ in range(LOOKED_AT // AT_ONCE):
            size = AT_ONCE if filtered else limit - len(page)
            candidates = self._after(question, place, size + 1)
            read = self._read(question, [one.contact for one in candidates[:size] if not one.skipped])
            for number, one in enumerate(candidates[:size]):
                place = one.place
                contact = None if one.skipped else read.get(one.contact)
                if contact is not None and _is_first(question, one, contact):
                    page[contact.id] = contact
                if len(page) == limit and number + 1 < len(candidates):
                    return ContactPage(list(page.values()), cursors.write(question.scope, one.place))
            if len(candidates) <= size:
                return ContactPage(list(page.values()), "")
        return ContactPage(list(page.values()), cursors.write(question.scope, place or []))

    def _read(self, question: Question, contacts: Sequence[str]) -> dict[str, Contact]:
        """The contacts that are meant, by the ids that led to them."""
        found = self._index.read(question.workspace, contacts)
        # Who became part of another after the index was read is found as that one, by what still leads there.
        if question.identity or question.message:
            found = survivors(found, partial(self._index.read, question.workspace))
        there = {one: c for one, c in found.items() if not c.merged_into and c.erased_at is None}
        return {one: contact for one, contact in there.items() if question.takes(contact)}

    def _after(self, question: Question, place: list[str | int] | None, most: int) -> list[Candidate]:
        """The next candidates, `most` of them unless there are no more."""
        identity = question.identity
        if question.by == "message" or (identity and identity.kind in UNIQUE_KINDS):
            contact = self._only(question) if place is None else None
            return [Candidate([0, ""], contact)] if contact else []
        if identity is not None:
            return self._holders(question.workspace, identity, place, most)
        if question.words:
            where = f"name#{question.prefix[:2]}"
            after = str(place[1]) if place else ""
            found = self._index.entries(question.workspace, where, question.prefix, after, most)
            return [Candidate([0, one.order], one.contact) for one in found]
        return self._listed(question.workspace, place, most)

    def _only(self, question: Question) -> str | None:
        if question.identity:
            return self._contacts.contact_with(question.workspace, question.identity)
        known = is_message_id(question.message)
        message = self._messages.get(question.workspace, question.message) if known else None
        return message.contact if message else None

    def _holders(self, workspace: str, identity: Identity, place: list[str | int] | None, most: int) -> list[Candidate]:
        """Whose an address is, oldest first, then whose it was; mostly one query, which reads both."""
        turn, after = (int(place[0]), str(place[1])) if place else (0, "")
        found = self._index.entries(workspace, str(identity), "", after, most)
        candidates = [Candidate([turn, one.order], one.contact, one.former != bool(turn)) for one in found]
        if len(found) < most and not turn:
            found = self._index.entries(workspace, str(identity), "", "", most) if after else found
            candidates += [Candidate([1, one.order], one.contact, not one.former) for one in found]
        if len(found) < most:  # that was all: nothing has to be passed over to see whether more follows
            candidates = [one for one in candidates if not one.skipped]
        return candidates[:most]

    def _listed(self, workspace: str, place: list[str | int] | None, most: int) -> list[Candidate]:
        """Everybody, one part of the list after the other."""
        number, order = (int(place[0]), str(place[1])) if place else (0, "")
        created, _, contact = order.partition("#")
        after = (created, contact) if order else None
        found: list[Candidate] = []
        for part in parts()[number:]:
            listed = self._index.listed(workspace, part, after if part == number else None, most - len(found))
            found += [Candidate([part, f"{one.order}#{one.contact}"], one.contact) for one in listed]
            if len(found) == most:
                break
        return found


def _is_first(question: Question, candidate: Candidate, contact: Contact) -> bool:
    """Whether a contact is met here for the first time: two words of a name may begin alike."""
    if not question.words:
        return True
    alike = [word for word in name_words(contact) if word.startswith(question.prefix)]
    return bool(alike) and str(candidate.place[1]).partition("#")[0] == min(alike)


def _read_place(question: Question, cursor: str) -> list[str | int] | None:
    """The place that a cursor names, if it can be one. Raises InvalidInput."""
    place = cursors.read(question.scope, cursor, int, str)
    if place is None:
        return None
    number, order = place
    try:
        usable = number in parts() and len(order.encode()) <= KEY_BYTES
        if question.words:
            usable = usable and order.startswith(question.prefix)
        elif not question.by:
            created, _, contact = order.partition("#")
            usable = usable and bool(contact) and to_text(from_text(created)) == created
    except ValueError:
        usable = False
    if not usable:
        raise InvalidInput("invalid_cursor", "This cursor was made for no such question.", "cursor")
    return [number, order]
