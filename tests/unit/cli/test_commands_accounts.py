"""`tidings workspace` and `tidings key` on the tables of a stack."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.support.world import World

from tidings_cli import stack as stacks
from tidings_cli.client import Unreachable
from tidings_cli.main import main
from tidings_cli.ready import campaign
from tidings_cli.stack import Stack

Run = Callable[..., str]
API = "https://a1b2c3.execute-api.eu-central-1.amazonaws.com"


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command on the world's tables; what it printed."""
    from tests.support.world import variables

    names = {"TableWorkspaces": "TABLE_WORKSPACES", "TableApiKeys": "TABLE_API_KEYS"}
    outputs = {output: variables()[variable] for output, variable in names.items()}
    monkeypatch.setattr(stacks, "open_stack", lambda args: Stack("tidings", None, {**outputs, "ApiUrl": API}))
    monkeypatch.setattr(campaign, "begin", lambda client: client.url == API)

    def command(*words: str, fails: int = 0) -> str:
        assert main(list(words)) == fails
        captured = capsys.readouterr()
        return captured.err if fails else captured.out

    return command


def shown(run: Run) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run("workspace", "show", "acme", "--json"))
    return answer


def test_a_workspace_s_settings_are_changed_and_shown(run: Run) -> None:
    run(
        *(
            "workspace",
            "configure",
            "acme",
            "--default-country",
            "pl",
            "--time-zone",
            "Europe/Warsaw",
            "--signed-replies",
            "yes",
            "--limit",
            "email=3",
            "--limit",
            "anon=none",
        ),
        *("--block", "user=test-.*", "--block", "user=qa=1", "--priority", "phone=1"),
        *("--publishable-keys-may-change-addresses", "yes", "--from", "New <new@acme.example>"),
        *("--reply-to", "help@acme.example", "--public-url", "https://go.acme.example/"),
        *("--mirror-account-suppression", "yes", "--hidden-link", "no", "--machine-range", "192.0.2.0/24"),
        *("--rate", "bounces_stop=0.05", "--rate", "bounces_from_sent=200"),
    )
    assert shown(run) == {
        "workspace": "acme",
        "name": "Acme",
        "created_at": "2026-11-21T09:00:00.000000Z",
        "default_from": "New <new@acme.example>",
        "reply_to": "help@acme.example",
        "public_url": "https://go.acme.example",
        "default_country": "PL",
        "time_zone": "Europe/Warsaw",
        "inbound_address": "",
        "signed_replies": True,
        "hidden_link": False,
        "rates": {
            "bounces_warn": 0.04,
            "bounces_stop": 0.05,
            "complaints_warn": 0.001,
            "complaints_stop": 0.003,
            "bounces_from_sent": 200,
            "bounces_from": 10,
            "complaints_from_sent": 500,
            "complaints_from": 3,
        },
        "machine_ranges": ["192.0.2.0/24"],
        "mirror_account_suppression": True,
        "publishable_keys_may_change_addresses": True,
        "identifiers": [
            {"kind": "user", "limit": 1, "blocked": ["test-.*", "qa=1"]},
            {"kind": "phone", "limit": 5, "blocked": []},
            {"kind": "anon", "limit": None, "blocked": []},
            {"kind": "email", "limit": 3, "blocked": []},
            {"kind": "ext", "limit": 5, "blocked": []},
        ],
    }


def test_a_new_workspace_s_links_lead_to_the_stack_s_api(run: Run) -> None:
    made = json.loads(run("workspace", "create", "new", "--from", "New <new@new.example>", "--json"))
    assert made["public_url"] == API
    own = ("--public-url", "https://go.own.example")
    assert json.loads(run("workspace", "create", "own", *own, "--json"))["public_url"] == "https://go.own.example"


def test_whoever_opens_a_workspace_is_told_to_add_its_sender_s_domain(run: Run) -> None:
    said = run("workspace", "create", "new", "--from", "New <new@new.example>", "--public-url", "")
    assert "Nothing is sent from new.example until SES knows it as yours: tidings domain add new.example" in said
    assert "tidings workspace configure new --public-url" in said
    assert "tidings domain add DOMAIN" in run("workspace", "create", "newer")


def test_a_new_workspace_starts_with_the_default_campaign_unless_it_is_not_wanted(run: Run) -> None:
    assert json.loads(run("workspace", "create", "new", "--json"))["default_campaign"] is True
    without = json.loads(run("workspace", "create", "bare", "--without-campaign", "--json"))
    assert without["default_campaign"] is False
    assert json.loads(run("workspace", "campaign", "bare", "--json")) == {"workspace": "bare", "begun": True}
    assert "which asks whoever writes" in run("workspace", "create", "newer")


def test_a_workspace_whose_campaign_could_not_be_begun_is_open_and_says_how_to_go_on(
    run: Run, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(client: Any) -> bool:
        raise Unreachable("Nothing answers.")

    monkeypatch.setattr(campaign, "begin", unreachable)
    assert main(["workspace", "create", "new", "--from", "New <new@new.example>"]) == 1
    assert run("workspace", "show", "new")
    keys = [item for item in world.items("TABLE_API_KEYS") if item["workspace"]["S"] == "new"]
    assert len(keys) == 1
    assert "revoked_at" in keys[0]
    assert main(["workspace", "campaign", "nowhere"]) == 1


def test_a_sender_that_is_not_verified_is_warned_of(run: Run) -> None:
    told = "tidings domain add"
    assert told in run("workspace", "configure", "acme", "--from", "Hello <hello@elsewhere.example>")
    assert told not in run("workspace", "configure", "acme", "--from", "Hello <hello@news.acme.example>")
    assert told not in run("workspace", "configure", "acme", "--default-country", "PL")


def test_one_change_leaves_the_others(run: Run) -> None:
    run("workspace", "configure", "acme", "--default-country", "PL", "--block", "user=a")
    run("workspace", "configure", "acme", "--publishable-keys-may-change-addresses", "yes", "--limit", "user=1")
    run("workspace", "configure", "acme", "--publishable-keys-may-change-addresses", "no")
    settings = shown(run)
    assert (settings["default_country"], settings["default_from"]) == ("PL", "Acme <hello@acme.example>")
    assert settings["identifiers"][0]["blocked"] == ["a"]
    assert settings["publishable_keys_may_change_addresses"] is False


def test_the_secret_of_webhooks_is_shown_and_renewed(run: Run) -> None:
    (first,) = json.loads(run("workspace", "webhook-secret", "acme", "--json"))["secrets"]
    assert first in run("workspace", "webhook-secret", "acme")
    second = json.loads(run("workspace", "webhook-secret", "acme", "--renew", "--json"))["secrets"]
    assert second[1:] == [first] != second[:1]
    run("workspace", "configure", "acme", "--default-country", "PL")
    assert json.loads(run("workspace", "webhook-secret", "acme", "--json"))["secrets"] == second
    said = run("workspace", "webhook-secret", "acme", "--renew")
    assert second[0] in said
    assert first not in said
    assert shown(run)["default_country"] == "PL"
    assert "no such workspace" in run("workspace", "webhook-secret", "nobodys", fails=1)


def test_blocked_patterns_are_taken_away_by_an_empty_one(run: Run) -> None:
    run("workspace", "configure", "acme", "--block", "user=a")
    run("workspace", "configure", "acme", "--block", "user=")
    assert shown(run)["identifiers"][0]["blocked"] == []


def test_people_are_told_what_holds_now(run: Run) -> None:
    said = run("workspace", "configure", "acme", "--default-country", "PL", "--block", "user=[test].*")
    assert "The settings of acme are changed; they hold everywhere within a minute." in said
    for word in ("PL", "[test].*", "publishable keys may not change", "any number"):
        assert word in said


@pytest.mark.parametrize(("words", "told"), [
    (["--default-country", "XX"], "invalid_country"),
    (["--limit", "user=2"], "fixed_limit"),
    (["--limit", "email=many"], "--limit takes KIND=NUMBER, such as email=5."),
    (["--priority", "email="], "--priority takes KIND=NUMBER"),
    (["--block", "user=(a+)+"], "pattern_too_costly"),
    (["--from", "nobody"], "invalid_sender"),
    (["--reply-to", "nobody"], "invalid_sender"),
    (["--public-url", "http://acme.example"], "invalid_public_url"),
    ([], "Nothing to change was named"),
])  # fmt: skip
def test_a_mistake_is_told_and_changes_nothing(run: Run, words: list[str], told: str) -> None:
    before = shown(run)
    assert told in run("workspace", "configure", "acme", *words, fails=1)
    assert shown(run) == before


def test_an_unknown_workspace_is_told(run: Run) -> None:
    for words in (["workspace", "show", "x"], ["workspace", "configure", "x", "--limit", "email=1"]):
        assert "There is no such workspace. (unknown_workspace)" in run(*words, fails=1)
    assert "unknown_workspace" in run("key", "list", "--workspace", "x", fails=1)


def test_a_pair_without_a_sign_of_equality_is_a_command_given_wrongly(run: Run) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["workspace", "configure", "acme", "--limit", "email"])
    assert ended.value.code == 2


def test_keys_are_listed_by_name_and_kind_and_never_shown(run: Run, world: World) -> None:
    made = run("key", "create", "--workspace", "acme", "--kind", "write", "--name", "web shop").strip()
    run("key", "revoke", made)
    listed = json.loads(run("key", "list", "--workspace", "acme", "--json"))["keys"]
    assert {
        "name": "web shop",
        "kind": "write",
        "role": "server",
        "actor": "",
        "created_at": "2026-11-21T09:00:00.000000Z",
        "revoked_at": "2026-11-21T09:00:00.000000Z",
    } in listed
    assert sorted(key["name"] for key in listed) == ["publishable", "secret", "web shop", "write"]
    said = run("key", "list", "--workspace", "acme")
    assert "web shop" in said
    for key in (made, *world.keys.values()):
        assert key not in said


def test_a_key_in_a_person_s_hands_has_a_role_and_names_its_actor(run: Run) -> None:
    run("key", "create", "--workspace", "acme", "--kind", "secret", "--role", "staff", "--actor", "Mia Novak")
    keys = json.loads(run("key", "list", "--workspace", "acme", "--json"))["keys"]
    assert [(key["role"], key["actor"]) for key in keys if key["actor"]] == [("staff", "Mia Novak")]
    assert "Mia Novak" in run("key", "list", "--workspace", "acme")
    run("key", "create", "--workspace", "acme", "--kind", "secret", "--role", "administrator", fails=1)


def test_a_workspace_lists_its_own_keys_only(run: Run) -> None:
    assert [key["name"] for key in json.loads(run("key", "list", "--workspace", "other", "--json"))["keys"]] == [
        "secret"
    ]
