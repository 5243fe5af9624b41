"""Whom a message is for: finding contacts as requests name them, and making one for an address that nobody has."""

from __future__ import annotations

from collections.abc import Callable

from tidings.accounts.model import Workspace
from tidings.activity.chain import Node
from tidings.activity.created import created
from tidings.activity.store import DynamoEventStore
from tidings.contacts.model import Contact, Identity, IdentityKind
from tidings.contacts.service import ContactDirectory
from tidings.core.errors import Conflict
from tidings.messages.requests import Named
from tidings.messages.store import DynamoMessageStore


class Recipients:
    """Leads from what a request names to contacts; `kind` is what an address of the channel is.

    `require_not_erased` is the path's of that channel.
    """

    def __init__(
        self,
        directory: ContactDirectory,
        kind: IdentityKind,
        require_not_erased: Callable[[Workspace, str], None],
        messages: DynamoMessageStore,
        events: DynamoEventStore,
    ) -> None:
        self._directory = directory
        self._kind = kind
        self._require_not_erased = require_not_erased
        self._messages = messages
        self._events = events

    def find(self, workspace: str, to: Named) -> Contact | None:
        """The contact; None for an address that nobody has. Raises NotFound, InvalidInput."""
        if to.contact:
            return self._directory.get(workspace, to.contact)
        if to.address:
            return self._directory.find_by_address(workspace, self._kind, to.address)
        if to.user_id:
            return self._directory.find(workspace, Identity(IdentityKind.USER, to.user_id))
        return self._directory.find(workspace, Identity(IdentityKind.ANONYMOUS, str(to.anonymous_id)))

    def owners(self, workspace: str, to: Named, contact: Contact | None) -> tuple[str, ...]:
        """Under whose ids a message may stand already.

        It was sent before two contacts became one, before an older contact got the address and answers for it, or
        before the person got another address.
        """
        shared = self._directory.with_address(workspace, self._kind, to.address) if to.address else []
        return tuple(dict.fromkeys((*(contact.every_id if contact else ()), *shared)))

    def of_message(self, workspace: str, contact: str) -> Contact:
        """The contact of a message that is there. Raises NotFound."""
        return self._directory.get(workspace, contact)

    def require_address_of_nobody(self, workspace: Workspace, address: str) -> str:
        """The id of the contact with an address that was erased last, which messages were sent to; empty if none was.

        Raises Conflict if whoever had it must not come back.
        """
        self._require_not_erased(workspace, address)
        return self._directory.had_address(workspace.id, workspace.secret, self._kind, address)

    def require_unsent(self, workspace: str, message: str) -> None:
        """Refuse a repeat of what was sent to somebody who was erased since. Raises Conflict."""
        if self._messages.get(workspace, message) is not None:
            raise Conflict("idempotency_conflict", "This idempotency key was used for somebody who was erased since.")

    def add(self, workspace: Workspace, address: str, call: str) -> Contact:
        """A new contact with the address; `call` is the idempotency key of what made it."""
        return self._directory.add_by_address(
            workspace.id,
            workspace.secret,
            self._kind,
            address,
            lambda new: [self._events.part(created(new, Node.call(call)))],
        )
