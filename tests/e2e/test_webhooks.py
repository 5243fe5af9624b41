"""Webhooks on the local engine: a server on this machine is called, and asked again where it was busy."""

from __future__ import annotations

from tests.e2e import round_webhooks
from tests.e2e.local_system import LocalSystem
from tests.e2e.workspaces import open_workspace


def test_a_server_on_this_machine_is_told_and_its_answer_decides(local: LocalSystem) -> None:
    """In a workspace of its own: the test of permissions walks the same way in the shared one."""
    round_webhooks.walk(open_workspace(local, "webhooks"))
