"""The chain of causes: what led to an event, a message or an enrolment, back to what began it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, unquote


class NodeKind(StrEnum):
    """What a chain is made of."""

    EVENT = "event"
    MESSAGE = "message"
    ENROLMENT = "enrolment"
    CALL = "call"  # a request of the API, by its idempotency key


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """One link of a chain, written `kind:part/part`; each part is percent-encoded, so that any id may stand in it."""

    kind: NodeKind
    parts: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind.value}:{'/'.join(quote(part, safe='') for part in self.parts)}"

    @classmethod
    def parse(cls, text: str) -> Node:
        """The node that `kind:part/part` names. Raises ValueError for text that names none."""
        kind, colon, rest = text.partition(":")
        parts = tuple(unquote(part) for part in rest.split("/"))
        node = cls(NodeKind(kind), parts)
        if not colon or len(parts) != PARTS[node.kind] or not all(parts):
            raise ValueError(f"this names no {kind}")
        return node

    @classmethod
    def event(cls, identity: str, message_id: str) -> Node:
        """An event, by the identity (`kind#value`) that it stands under and its message id."""
        kind, _, value = identity.partition("#")
        return cls(NodeKind.EVENT, (kind, value, message_id))

    @classmethod
    def message(cls, message: str) -> Node:
        """A message, by its id."""
        return cls(NodeKind.MESSAGE, (message,))

    @classmethod
    def enrolment(cls, contact: str, automation: str, entry: str) -> Node:
        """An enrolment of a contact in an automation."""
        return cls(NodeKind.ENROLMENT, (contact, automation, entry))

    @classmethod
    def call(cls, key: str) -> Node:
        """A request of the API, by its idempotency key."""
        return cls(NodeKind.CALL, (key,))


PARTS = {NodeKind.EVENT: 3, NodeKind.MESSAGE: 1, NodeKind.ENROLMENT: 3, NodeKind.CALL: 1}
