"""The commands about merges and companies, with the real handlers behind them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from tests.functional.test_merges import merges, person_and_device, say, who
from tests.support.front import Front, ask
from tests.support.world import World

from tidings_cli import client
from tidings_cli.main import main

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def tidings(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command against the world; its exit code and what it printed, on one line."""
    front = Front(world)

    def call(
        _: Any, method: str, path: tuple[str, ...], query: str = "", body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        address = f"/v1/{'/'.join(client.quote(part, safe='') for part in path)}{query}"
        headers = {"authorization": f"Bearer {world.keys['secret']}"}
        status, _, answer = ask(front, method, address, body, headers)
        return client._read(status, json.dumps(answer).encode())

    monkeypatch.setattr(client.Client, "_call", call)

    def run(*arguments: str) -> tuple[int, str]:
        code = main([*arguments, "--url", "http://127.0.0.1:1", "--key", "sk_x"])
        captured = capsys.readouterr()
        world.pump()
        return code, " ".join((captured.out + captured.err).split())

    return run


def test_a_merge_is_previewed_made_listed_and_taken_back(world: World, tidings: Command) -> None:
    ada, device = person_and_device(world)
    code, said = tidings("merge", "preview", device, ada)
    assert code == 0
    assert "The one would become part of the other." in said
    assert "anon a-1" in said
    code, said = tidings("merge", "do", device, ada, "--idempotency-key", "k-1")
    (record,) = merges(world, ada)
    assert (code, record["call"]) == (0, "call:k-1")
    assert f"tidings merge undo {record['merge']}" in said
    code, said = tidings("merge", "list", ada)
    assert code == 0
    assert "somebody asked for it" in said
    code, said = tidings("merge", "undo", record["merge"])
    assert (code, f"{device} is a contact of its own again" in said) == (0, True)
    assert who(world, anonymous_id="a-1") == device
    assert "Nobody became part of this contact." in tidings("merge", "list", device)[1]


def test_a_preview_of_identifying_and_of_what_may_not_be(world: World, tidings: Command) -> None:
    ada, device = person_and_device(world)
    code, said = tidings("merge", "preview", "--anonymous-id", "a-9", "--user-id", "ada")
    assert (code, "The anonymous id would join the user's contact." in said) == (0, True)
    code, said = tidings("merge", "preview", ada, device)
    assert (code, "(known_contact_absorbed)" in said) == (1, True)
    code, said = tidings("merge", "preview", ada)
    assert (code, "give two contacts, or --anonymous-id and --user-id" in said) == (1, True)
    code, said = tidings("merge", "do", ada, device)
    assert (code, "(known_contact_absorbed)" in said) == (1, True)


def test_companies_are_listed_shown_joined_and_left(world: World, tidings: Command) -> None:
    say(world, kind="group", userId="ada", groupId="acme 1", traits={"plan": "team"})
    say(world, userId="bob")
    bob = who(world, user_id="bob")
    assert "acme 1" in tidings("company", "list")[1]
    assert 'plan "team"' in tidings("company", "show", "acme 1")[1]
    assert tidings("company", "join", "acme 1", bob) == (0, f"✓ {bob} belongs to acme 1.")
    assert bob in tidings("company", "contacts", "acme 1")[1]
    assert len(json.loads(tidings("company", "contacts", "acme 1", "--json", "--limit", "1")[1])) == 1
    assert tidings("company", "leave", "acme 1", bob) == (0, f"✓ {bob} has left acme 1.")
    assert bob not in tidings("company", "contacts", "acme 1")[1]
    code, said = tidings("company", "show", "nobody")
    assert (code, "(unknown_company)" in said) == (1, True)
