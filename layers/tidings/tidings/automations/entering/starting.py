"""Starting an automation by a call: how other platforms, and programs of one's own, ask it to take somebody in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field, model_validator

from tidings.activity.chain import Node
from tidings.activity.model import Event
from tidings.activity.store import DynamoEventStore
from tidings.automations.entering.refusals import Reason
from tidings.automations.entering.requests import AUTOMATION, RESERVED, refusal_of, requested_event
from tidings.automations.store import Automation, DynamoAutomationStore
from tidings.contacts.model import Contact, Identity, IdentityKind
from tidings.contacts.service import ContactDirectory
from tidings.contacts.store import DynamoContactStore
from tidings.core.clock import Clock
from tidings.core.documents import require_plain
from tidings.core.errors import Conflict, InvalidInput, NotFound
from tidings.core.ids import digest, new_id
from tidings.core.store import Database
from tidings.messages.requests import STRICT, Id, only_one, read_as

# As much as a message of an app may say.
PROPERTIES_BYTES = 32 * 1024
KEY_CHARACTERS = 256
_NAMES = ("contact", "user_id", "email", "anonymous_id")


class StartOrder(BaseModel):
    """Whom an automation is to take in, named in one way, and what stands in the properties of the event.

    Under the same idempotency key a repeat starts nothing.
    """

    model_config = STRICT

    contact: Id | None = None
    user_id: Id | None = None
    email: Id | None = None
    anonymous_id: Id | None = None
    properties: dict[str, Any] = Field(default={})
    idempotency_key: str | None = Field(default=None, min_length=1, max_length=KEY_CHARACTERS)

    @model_validator(mode="after")
    def _names_one(self) -> StartOrder:
        only_one(self, _NAMES)
        return self


class Starting:
    """Writes the event by which an automation is asked; `react` does the rest."""

    def __init__(
        self,
        database: Database,
        automations: DynamoAutomationStore,
        directory: ContactDirectory,
        events: DynamoEventStore,
        clock: Clock,
    ) -> None:
        self._database = database
        self._automations = automations
        self._directory = directory
        self._events = events
        self._clock = clock

    @classmethod
    def over(cls, database: Database, clock: Clock) -> Starting:
        """Starting automations on the tables of a database."""
        directory = ContactDirectory(DynamoContactStore(database), clock)
        return cls(database, DynamoAutomationStore(database), directory, DynamoEventStore(database), clock)

    def start(self, workspace: str, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask an automation to take somebody in; its rules decide whether they enter, a moment later.

        Raises InvalidInput; NotFound for nobody, and for an automation that is not published; Conflict for one that
        calls do not start or that takes nobody in, and for another request under the same key.
        """
        order: StartOrder = read_as(StartOrder, body)
        _require_small(order.properties)
        require_startable(self._automations.live(workspace, name), name)
        contact = self._find(workspace, order)
        event = self._event(contact, name, order)
        # Where the contact absorbed nobody, writing the event tells by itself whether it is there.
        told = self._told(contact, event) if order.idempotency_key and contact.absorbed else None
        if told is None and not self._events.add(event):
            told = self._told(contact, event)  # somebody was faster with the same key
        if told is not None and told.properties != event.properties:
            raise Conflict(
                "idempotency_conflict", "This idempotency key was used with other properties.", "idempotency_key"
            )
        return {"automation": name, "contact": contact.id, "event": (told or event).message_id}

    def _find(self, workspace: str, order: StartOrder) -> Contact:
        if order.contact:
            return self._directory.get(workspace, order.contact)
        if order.email:
            found = self._directory.find_by_address(workspace, IdentityKind.EMAIL, order.email)
            if found is None:
                raise NotFound("unknown_contact", "No contact has this e-mail address.", "email")
            return found
        if order.user_id:
            return self._directory.find(workspace, Identity(IdentityKind.USER, order.user_id))
        return self._directory.find(workspace, Identity(IdentityKind.ANONYMOUS, str(order.anonymous_id)))

    def _event(self, contact: Contact, name: str, order: StartOrder) -> Event:
        key = order.idempotency_key
        message_id = digest("start", name, key) if key else new_id()
        call = Node.call(key or message_id)
        now = self._clock.now()
        return requested_event(contact, name, order.properties, message_id=message_id, at=now, cause=call)

    def _told(self, contact: Contact, event: Event) -> Event | None:
        """The event of the same request, also when the contact was still one that became part of this one."""
        own = (Identity(IdentityKind.CONTACT, one) for one in contact.every_id)
        found = self._database.batch_get([self._events.key(contact.workspace, i, event.message_id) for i in own])
        return next((self._events.entity(item) for item in found.values()), None)


def require_startable(automation: Automation | None, name: str) -> None:
    """Refuse an automation that no request starts. Raises NotFound or Conflict."""
    reason = refusal_of(automation)
    if reason is Reason.NOT_PUBLISHED:
        raise NotFound("unknown_automation", f"There is no published automation named {name}.", AUTOMATION)
    if reason is Reason.NOT_BY_REQUEST:
        told = f"{name} is not started by calls; its trigger would have to be `api: true`."
        raise Conflict("not_started_by_calls", told, AUTOMATION)
    if reason is Reason.ARCHIVED:
        raise Conflict("automation_archived", f"{name} is archived: nobody enters it any more.", AUTOMATION)
    if reason is Reason.PAUSED:
        raise Conflict("automation_paused", f"{name} is paused: nobody enters it for now.", AUTOMATION)


def _require_small(properties: Mapping[str, Any]) -> None:
    if require_plain(properties) > PROPERTIES_BYTES:
        told = f"The properties have at most {PROPERTIES_BYTES} bytes."
        raise InvalidInput("properties_too_large", told, "properties")
    ours = sorted(properties.keys() & RESERVED)
    if ours:
        raise InvalidInput("reserved_property", f"Tidings itself sets the property {ours[0]}.", f"properties.{ours[0]}")
