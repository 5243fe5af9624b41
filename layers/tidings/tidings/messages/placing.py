"""One message ordered through the API: its person found or made, its idempotency key bound, and sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.consent.model import Channel
from tidings.contacts.model import Contact
from tidings.core.errors import InvalidInput, NotFound
from tidings.core.ids import message_id
from tidings.core.store import Database
from tidings.messages.call_store import DynamoCallStore
from tidings.messages.model import Message, Template
from tidings.messages.orders import Alone, Order
from tidings.messages.path import MessagePath, Unsettled
from tidings.messages.recipients import Recipients
from tidings.messages.requests import Named
from tidings.messages.store import DynamoMessageStore
from tidings.messages.template_store import DynamoTemplateStore

O = TypeVar("O", bound=Order)  # noqa: E741 - an order of the channel


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call asks for. `own` is a text that the call brings instead of naming a template; `request` is a hash of
    all that was asked."""

    to: Named
    template: str
    key: str
    request: str
    own: Template | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What an order is made of. `owner` is the contact under whose id the message stands."""

    workspace: Workspace
    contact: Contact
    owner: str
    message_id: str
    template: Template


class Placing(Generic[O]):
    """Takes orders for one message of a channel."""

    def __init__(
        self,
        database: Database,
        path: MessagePath[O, Any],
        recipients: Recipients,
        calls: DynamoCallStore,
        workspaces: DynamoWorkspaceStore,
        templates: DynamoTemplateStore,
        messages: DynamoMessageStore,
        channel: Channel,
    ) -> None:
        self._database = database
        self._path = path
        self._recipients = recipients
        self._calls = calls
        self._workspaces = workspaces
        self._templates = templates
        self._messages = messages
        self._channel = channel
        # Mails were there first: their keys and ids have no word for the channel.
        self._place = () if channel is Channel.EMAIL else (channel.value,)

    def send(self, workspace: str, asked: Asked, order_of: Callable[[Found], O]) -> Message:
        """Send a message; the message as it stands, `claimed` where nobody can tell yet whether it went.

        The same idempotency key with the same body is the same message, with another one Conflict. The key is bound
        when it is known that the message can be ordered at all: a body that is refused may be mended under the same
        key. Raises InvalidInput, NotFound for an unknown contact or template, Throttled.
        """
        contact = self._recipients.find(workspace, asked.to)
        owners = self._recipients.owners(workspace, asked.to, contact)
        keys = [self._messages.key(workspace, owner, self._id(workspace, owner, asked)) for owner in owners]
        template_key = self._templates.live_key(workspace, asked.template)
        workspace_key = self._workspaces.key(workspace)
        found = self._database.batch_get([*keys, workspace_key, *([] if asked.own else [template_key])])
        if asked.own is None and template_key not in found:
            raise NotFound("unknown_template", f"There is no template named {asked.template}.", "template")
        place = self._workspaces.entity(found[workspace_key])
        template = asked.own or self._templates.entity(found[template_key])
        require_channel(template, self._channel)
        known = next((self._messages.entity(found[key]) for key in keys if key in found), None)
        erased = ""
        if contact is None and known is None:
            erased = self._recipients.require_address_of_nobody(place, asked.to.address)
        self._calls.bind(workspace, asked.key, asked.request, *self._place)
        if contact is None:
            contact = self._contact(place, asked, known, erased)
        owner = known.contact if known else contact.id
        order = order_of(Found(place, contact, owner, self._id(workspace, owner, asked), template))
        try:
            return self._path.send(order, known, Alone())
        except Unsettled:
            stored = self._messages.get(workspace, order.message_id)
            if stored is None:
                raise
            return stored

    def _contact(self, workspace: Workspace, asked: Asked, known: Message | None, erased: str) -> Contact:
        if known is not None:
            return self._recipients.of_message(workspace.id, known.contact)
        if erased:
            self._recipients.require_unsent(workspace.id, self._id(workspace.id, erased, asked))
        return self._recipients.add(workspace, asked.to.address, asked.key)

    def _id(self, workspace: str, owner: str, asked: Asked) -> str:
        return message_id(owner, "api", workspace, asked.key, *self._place)


def require_channel(template: Template, channel: Channel) -> None:
    """Refuse a template of another channel. Raises InvalidInput: `wrong_channel`."""
    own = template.content.channel
    if own is not channel:
        message = f"{template.name} is a template of the channel {own.value}; this is {channel.value}."
        raise InvalidInput("wrong_channel", message, "template")
