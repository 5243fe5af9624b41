"""Messages that come in, as their channels hand them over, and what conversations come to."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.support.world import START, WORKSPACE, World
from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.consent.model import Channel
from tidings.conversations.intake import Intake
from tidings.conversations.model import Conversation, Entry, Inbound, Taken
from tidings.conversations.store import DynamoConversationStore
from tidings.core.clock import SystemClock

PERSON, OURS = "+48600100200", "+48732000111"


def workspace(world: World, name: str = WORKSPACE) -> Workspace:
    """The workspace as it is now."""
    with world.recorder.unseen():
        found = DynamoWorkspaceStore(world.database).get(name)
    assert found is not None
    return found


def sms(world: World, provider_id: str, text: str = "Hello", at: datetime = START, **more: Any) -> Inbound:
    """A text message that comes in."""
    told = {"sender": PERSON, "to": OURS, "event": "SMS Received", **more}
    return Inbound(workspace(world), Channel.SMS, provider_id=provider_id, at=at, text=text, **told)


def mail(world: World, provider_id: str, text: str = "Hello", at: datetime = START, **more: Any) -> Inbound:
    """A mail that comes in."""
    told = {"sender": "ada@people.example", "to": "reply@acme.example", "event": "Email Received", **more}
    return Inbound(workspace(world), Channel.EMAIL, provider_id=provider_id, at=at, text=text, **told)


def take(world: World, inbound: Inbound) -> Taken:
    """Take it, as a function does."""
    return Intake.of(world.database, SystemClock()).take(inbound)


def conversation(world: World, taken: Taken) -> Conversation:
    """The conversation that it went into."""
    with world.recorder.unseen():
        found = DynamoConversationStore(world.database).get(WORKSPACE, taken.conversation)
    assert found is not None
    return found


def entries(world: World, conversation: str) -> list[Entry]:
    """What stands in a conversation, in its order."""
    with world.recorder.unseen():
        return DynamoConversationStore(world.database).entries(WORKSPACE, conversation, "", 100)


def texts(world: World, conversation: str) -> list[str]:
    """The texts of a conversation, in its order."""
    return [entry.text for entry in entries(world, conversation)]


def counts(world: World) -> dict[tuple[str, str], int]:
    """The live counts."""
    with world.recorder.unseen():
        return DynamoConversationStore(world.database).counts(WORKSPACE)


def recounted(world: World) -> dict[tuple[str, str], int]:
    """How many conversations there are by inbox and state, counted one by one."""
    found: dict[tuple[str, str], int] = {}
    for item in world.items("TABLE_CONVERSATIONS"):
        if item["sk"]["S"].startswith("conversation#"):
            _, inbox, state, _ = item["listed"]["S"].split("#")
            found[inbox, state] = found.get((inbox, state), 0) + 1
    return found


def later(seconds: float) -> datetime:
    """So many seconds after the test's start."""
    return START + timedelta(seconds=seconds)
