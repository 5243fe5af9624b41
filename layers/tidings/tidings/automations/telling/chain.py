"""The chain of causes as a tree: up from any node to what began it, and from there down to all that it led to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from tidings.activity.chain import Node, NodeKind
from tidings.activity.model import Event
from tidings.activity.store import DynamoEventStore
from tidings.automations.enrolments.model import Enrolment
from tidings.automations.enrolments.store import DynamoEnrolmentStore
from tidings.contacts.merging import survivors
from tidings.contacts.model import Contact, Identity, IdentityKind
from tidings.contacts.store import DynamoContactStore
from tidings.core.clock import from_text
from tidings.core.errors import InvalidInput, NotFound
from tidings.core.ids import contact_of_message
from tidings.core.store import Database, Key
from tidings.messages.model import Message
from tidings.messages.store import DynamoMessageStore

MOST = 500
LEVELS = 100  # deeper than anything that people do, and well within what JSON's readers take
KEY_BYTES = 1024  # DynamoDB's sort keys
NEVER = datetime(1970, 1, 1, tzinfo=UTC)

Thing = Event | Message | Enrolment


@dataclass
class Branch:
    """A thing and what it led to, earliest first."""

    thing: Thing
    contact: str
    children: list[Branch] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The branch as the API shows it, with all below it."""
        return {**_shown(self.thing, self.contact), "children": [child.as_dict() for child in self.children]}


@dataclass
class Around:
    """What is known of the contacts that a tree touches: read once for each."""

    contacts: dict[tuple[str, str], str] = field(default_factory=dict)
    enrolments: dict[Node, list[Enrolment]] = field(default_factory=dict)
    messages: dict[Node, list[Message]] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)


class ChainService:
    """Shows what led to what, within one workspace."""

    def __init__(
        self,
        database: Database,
        contacts: DynamoContactStore,
        events: DynamoEventStore,
        messages: DynamoMessageStore,
        enrolments: DynamoEnrolmentStore,
        most: int = MOST,
    ) -> None:
        self._database = database
        self._contacts = contacts
        self._events = events
        self._messages = messages
        self._enrolments = enrolments
        self._most = most

    def tree(self, workspace: str, text: str) -> dict[str, Any]:
        """The tree that a node stands in, the same for each of its nodes; cut off, and saying so, at `most` nodes.

        One batched read for each link of the way up and each level of the way down, one query for each event and
        message, and for each contact its ids, enrolments and messages. Events are found by an index that learns of
        them seconds after they were stored. Raises InvalidInput and NotFound.
        """
        asked = read_node(text)
        found = self._things(workspace, [asked])
        if asked not in found:
            raise NotFound("unknown_node", "There is no such node.", "node")
        around = Around()
        top = self._climb(workspace, found[asked], around)
        tree, truncated = self._below(workspace, top, around)
        shown = tree.as_dict()
        if isinstance(top, Message) and top.caused_by is not None and top.caused_by.kind is NodeKind.CALL:
            shown = _call(top, shown)
        return {"root": shown["node"], "asked": str(asked), "truncated": truncated, "tree": shown}

    def _climb(self, workspace: str, thing: Thing, around: Around) -> Thing:
        """What began the chain: by the roots that things carry, and where those are gone, by their causes.

        A root is what was known when it was written down; what was found out since is found by climbing on from it.
        """
        passed = {thing.node}
        self._meet(workspace, [thing], around)
        while True:
            ways = [node for node in _ways_up(thing) if node not in passed]
            found = self._things(workspace, ways) if ways else {}
            above = next((found[node] for node in ways if node in found), None)
            if above is None:
                return thing
            thing = above
            passed.add(thing.node)

    def _below(self, workspace: str, top: Thing, around: Around) -> tuple[Branch, bool]:
        """The tree below what began it, level by level."""
        self._meet(workspace, [top], around)
        tree = Branch(top, self._contact_of(top, around))
        level, seen, truncated = [tree], {top.node}, False
        for _ in range(LEVELS):
            led_to = {branch.thing.node: self._led_to(workspace, branch.thing, around) for branch in level}
            keys = [key for _, keys in led_to.values() for key in keys]
            read = self._database.batch_get(keys) if keys else {}
            entities = {key: self._events.entity(item) for key, item in read.items()}
            self._meet(workspace, entities.values(), around)
            following = []
            for branch in level:
                known, keys = led_to[branch.thing.node]
                events = self._once([entities[key] for key in keys if key in entities], around)
                for thing in sorted([*known, *events], key=_order):
                    if thing.node in seen:
                        continue
                    if len(seen) == self._most:
                        truncated = True
                        break
                    seen.add(thing.node)
                    branch.children.append(Branch(thing, self._contact_of(thing, around)))
                following += branch.children
            level = following
            if not level:
                return tree, truncated
        return tree, True

    def _led_to(self, workspace: str, thing: Thing, around: Around) -> tuple[list[Thing], list[Key]]:
        """What a thing led to that was read with its contact, and where the events stand that it led to."""
        if isinstance(thing, Enrolment):
            return list(around.messages.get(thing.node, ())), []  # of an enrolment itself no event is told
        keys = self._events.caused_by(workspace, thing.node, self._most)
        return (list(around.enrolments.get(thing.node, ())) if isinstance(thing, Event) else []), keys

    def _things(self, workspace: str, nodes: Iterable[Node]) -> dict[Node, Thing]:
        """The things that nodes name: one batched read."""
        keys = {self._key(workspace, node): node for node in nodes if node.kind is not NodeKind.CALL}
        found = self._database.batch_get(keys) if keys else {}
        return {keys[key]: self._thing(keys[key].kind, item) for key, item in found.items()}

    def _thing(self, kind: NodeKind, item: Any) -> Thing:
        if kind is NodeKind.EVENT:
            return self._events.entity(item)
        return self._messages.entity(item) if kind is NodeKind.MESSAGE else self._enrolments.entity(item)

    def _key(self, workspace: str, node: Node) -> Key:
        if node.kind is NodeKind.EVENT:
            kind, value, message = node.parts
            return self._events.key(workspace, Identity(IdentityKind(kind), value), message)
        if node.kind is NodeKind.MESSAGE:
            return self._messages.key(workspace, contact_of_message(node.parts[0]), node.parts[0])
        return self._enrolments.key(workspace, *node.parts)

    # ---- contacts ---------------------------------------------------------------------------------------------------

    def _contact_of(self, thing: Thing, around: Around) -> str:
        """The contact that a thing belongs to, also after merges; empty for an event of nobody that is left."""
        return around.contacts.get(_owner(thing), "")

    def _meet(self, workspace: str, things: Iterable[Thing], around: Around) -> None:
        """Read the contacts that things belong to, and what each of them entered and was sent."""
        owners = {owner for thing in things if (owner := _owner(thing)) not in around.contacts}
        direct = {value for kind, value in owners if kind == IdentityKind.CONTACT.value}
        keys = {
            self._contacts.identity_key(workspace, Identity(IdentityKind(kind), value)): (kind, value)
            for kind, value in owners
            if kind != IdentityKind.CONTACT.value
        }
        found = self._database.batch_get(keys) if keys else {}
        leads = {keys[key]: self._contacts.lead_in(item).contact for key, item in found.items()}
        contacts = self._survivors(workspace, direct | set(leads.values()))
        for owner in owners:
            contact = contacts.get(leads.get(owner, owner[1]))
            around.contacts[owner] = contact.id if contact else ""
        for one in sorted(direct):
            self._read(workspace, one, around)
        for contact in contacts.values():
            for one in (*contact.every_id, *(window.contact for window in contact.kept)):
                around.contacts.setdefault((IdentityKind.CONTACT.value, one), contact.id)
                self._read(workspace, one, around)

    def _survivors(self, workspace: str, ids: set[str]) -> dict[str, Contact]:
        """Contacts by id, or those that they became part of."""
        return survivors(self._read_contacts(workspace, sorted(ids)), partial(self._read_contacts, workspace))

    def _read_contacts(self, workspace: str, ids: Sequence[str]) -> dict[str, Contact]:
        keys = {self._contacts.contact_key(workspace, one): one for one in ids}
        read = self._database.batch_get(keys) if keys else {}
        return {keys[key]: self._contacts.entity(item) for key, item in read.items()}

    def _read(self, workspace: str, contact: str, around: Around) -> None:
        if contact in around.read:
            return
        around.read.add(contact)
        for enrolment in self._enrolments.of_contact(workspace, [contact]):
            if enrolment.caused_by is not None:
                around.enrolments.setdefault(enrolment.caused_by, []).append(enrolment)
        for message in self._messages.of_contact(workspace, [contact]):
            if message.caused_by is not None:
                around.messages.setdefault(message.caused_by, []).append(message)

    def _once(self, events: list[Event], around: Around) -> list[Event]:
        """Events without the second of two: a browser tells again, under the user id, what it told without."""
        first: dict[tuple[str, str], Event] = {}
        for event in sorted(events, key=lambda one: (one.received_at, str(one.identity))):
            first.setdefault((self._contact_of(event, around) or str(event.identity), event.message_id), event)
        return list(first.values())


def read_node(text: str) -> Node:
    """The node that a caller names; a call of the API is none that can be asked for. Raises InvalidInput."""
    try:
        node = Node.parse(text)
        if node.kind is NodeKind.EVENT:
            IdentityKind(node.parts[0])
        if node.kind is NodeKind.CALL or any(len(part.encode()) > KEY_BYTES for part in node.parts):
            raise ValueError("nothing stands under it")
        if node.kind is NodeKind.MESSAGE and not contact_of_message(node.parts[0]):
            raise ValueError("this is no message id")
    except ValueError as error:
        told = "A node is event:…, message:… or enrolment:…, as events, messages and enrolments show it."
        raise InvalidInput("invalid_node", told, "node") from error
    return node


def _ways_up(thing: Thing) -> list[Node]:
    """Where to look for what began a thing: its root, and the cause right above it."""
    cause = thing.cause if isinstance(thing, Event) else thing.caused_by
    return [node for node in dict.fromkeys((thing.root, cause)) if node is not None]


def _owner(thing: Thing) -> tuple[str, str]:
    """The identity that a thing stands under: a contact's own for messages and enrolments."""
    if isinstance(thing, Event):
        return (thing.identity.kind.value, thing.identity.value)
    return (IdentityKind.CONTACT.value, thing.contact)


def _at(thing: Thing) -> datetime:
    if isinstance(thing, Event):
        return thing.timestamp
    if isinstance(thing, Enrolment):
        return thing.started_at
    return min((from_text(text) for text in thing.history.values()), default=thing.claimed_at or NEVER)


def _order(thing: Thing) -> tuple[datetime, str]:
    return (_at(thing), str(thing.node))


def _shown(thing: Thing, contact: str) -> dict[str, Any]:
    """A node as the API shows it: the same fields for all, and `detail` by its kind."""
    title, detail = _told(thing)
    return {
        "node": str(thing.node),
        "kind": thing.node.kind.value,
        "at": _at(thing),
        "title": title,
        "contact": contact,
        "detail": detail,
    }


def _told(thing: Thing) -> tuple[str, Mapping[str, Any]]:
    if isinstance(thing, Event):
        return thing.name or thing.type, {"type": thing.type, "identity": str(thing.identity)}
    if isinstance(thing, Enrolment):
        return thing.automation, {"version": thing.version, "state": thing.state.value, "steps": thing.n}
    detail = {"channel": thing.channel, "state": thing.state.value, "subject": thing.subject}
    return thing.template, detail


def _call(message: Message, shown: dict[str, Any]) -> dict[str, Any]:
    """A message's tree below the call that ordered it, of which nothing is kept but its key."""
    call = message.began_by
    return {
        "node": str(call),
        "kind": call.kind.value,
        "at": shown["at"],
        "title": call.parts[0],
        "contact": shown["contact"],
        "detail": {},
        "children": [shown],
    }
