"""Conversations that nobody began yet: a message is a part of them, and its first answer opens them.

Their ids are made from what sends the message, so that nothing is stored before anybody answers. Where they are to go
then may be said before: that is a plan, which stands beside the conversations of its contact.
"""

from __future__ import annotations

from dataclasses import dataclass

from pynamodb.attributes import UnicodeAttribute

from tidings.core.ids import contact_of_message, digest
from tidings.core.store import Database, Item, Key, Part, check, put

PLAN = "plan#"


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a conversation goes once somebody begins it: to the inbox that its first message says if none is named."""

    conversation: str
    inbox: str = ""
    agent: str = ""


class PlanItem(Item):
    inbox = UnicodeAttribute()
    agent = UnicodeAttribute(null=True)


class DynamoPlanStore:
    """Plans in the table of conversations. Made after the store of conversations, which knows the table's indexes."""

    def __init__(self, database: Database) -> None:
        self._items = database.table(PlanItem, "conversations")

    def key(self, workspace: str, conversation: str) -> Key:
        """Where a plan stands, for a batched read."""
        return Key(self._items, f"{workspace}#{contact_of_message(conversation)}", f"{PLAN}{conversation}")

    def entity(self, conversation: str, item: PlanItem | None) -> Plan:
        """The plan that a read item is; where there is none, one that names nothing."""
        return Plan(conversation) if item is None else Plan(conversation, item.inbox, item.agent or "")

    def part(self, workspace: str, plan: Plan) -> Part:
        """Writing a plan, as part of a transaction; written again it is the same."""
        key = self.key(workspace, plan.conversation)
        return put("plan", self._items(key.pk, key.sk, inbox=plan.inbox, agent=plan.agent or None))

    def unchanged(self, workspace: str, plan: Plan) -> Part:
        """That a plan is as it was read, as part of a transaction."""
        key, table = self.key(workspace, plan.conversation), self._items
        if not plan.inbox:
            return check("plan", table(key.pk, key.sk), table.pk.does_not_exist())
        agent = table.agent == plan.agent if plan.agent else table.agent.does_not_exist()
        return check("plan", table(key.pk, key.sk), (table.inbox == plan.inbox) & agent)


def planned_id(contact: str, message: str) -> str:
    """The id of the conversation that a message begins, or would; it contains the contact."""
    return f"{contact}-{digest('conversation', message)}"
