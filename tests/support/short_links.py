"""A short link as the claim of a text message writes it."""

from __future__ import annotations

from tests.support.world import WORKSPACE, World
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.consent.model import Kind
from tidings.messages.model import Message, State
from tidings.sms.link_store import DynamoShortLinkStore


def make_link(world: World, message: str, code: str, address: str) -> str:
    """Let a code lead to an address, as a link in a message of the workspace; the code."""
    with world.recorder.unseen():
        workspace = DynamoWorkspaceStore(world.database).get(WORKSPACE)
        assert workspace is not None
        sent = Message(WORKSPACE, message.partition("-")[0], message, "sms", State.CLAIMED, Kind.MARKETING, "", 0, "")
        world.database.transact(DynamoShortLinkStore(world.database).parts(workspace, sent, {code: address}, world.now))
    return code
