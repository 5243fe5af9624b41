"""How receivers verify webhooks, as docs/developers.md says: its programs, run on calls that we sign."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from standardwebhooks import WebhookVerificationError
from tests.unit.docs.blocks import Block, blocks, matches

from tidings.automations.enrolments.model import StepCall
from tidings.automations.webhooks.signing import secret_of, shown, signed
from tidings.automations.webhooks.task import default_body
from tidings.contacts.model import Contact, Identity, IdentityKind, Trait

Verified = Callable[[str, dict[str, str], bytes], Any]
BODY = b'{"contact": {"id": "c1"}}'
SECRET = secret_of("acme")
PROGRAMS = blocks("python webhook")
REFUSED = (ValueError, WebhookVerificationError)

each = pytest.mark.parametrize("block", PROGRAMS, ids=lambda block: str(block.info[2]))


def program(block: Block) -> Verified:
    names: dict[str, Any] = {}
    exec(block.text, names)  # noqa: S102 - a program of our own page
    verified: Verified = names["verified"]
    return verified


def sent(*secrets: bytes, ago: timedelta = timedelta()) -> dict[str, str]:
    """The headers of a call that was made some time ago."""
    return signed(secrets or [SECRET], "c1-m1", datetime.now(UTC) - ago, BODY)


def test_what_is_told_where_a_component_says_nothing_else_is_what_the_page_shows() -> None:
    (block,) = blocks("json webhook")
    call = StepCall("acme", "c1", "onboarding", 3, "entry", 0, "tell_crm")
    told = {Identity(IdentityKind.USER, "user-17")}
    email = Trait("mia@example.com", datetime.now(UTC), "m-1")
    contact = Contact("acme", "c1", datetime.now(UTC), traits={"email": email}, identities=frozenset(told))
    situation = SimpleNamespace(call=call, contact=contact, properties={"plan": "team"})
    assert matches(json.loads(block.text), default_body(situation))  # type: ignore[arg-type]


def test_there_is_a_program_with_the_library_and_one_without() -> None:
    assert [block.info[2] for block in PROGRAMS] == ["library", "plain"]


@each
def test_a_call_of_ours_is_believed(block: Block) -> None:
    assert program(block)(shown(SECRET), sent(), BODY) == {"contact": {"id": "c1"}}


@each
def test_while_two_secrets_are_valid_a_call_is_believed_by_either(block: Block) -> None:
    new = secret_of("acme", 1)
    for secret in (new, SECRET):
        assert program(block)(shown(secret), sent(new, SECRET), BODY)


@each
@pytest.mark.parametrize("header", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_call_that_was_changed_is_not_believed(block: Block, header: str) -> None:
    changed = sent() | {
        header: {"webhook-signature": "v1,AAAA"}.get(header, str(int(datetime.now(UTC).timestamp()) + 9))
    }
    with pytest.raises(REFUSED):
        program(block)(shown(SECRET), changed, BODY)


@each
def test_another_body_and_another_secret_are_not_believed(block: Block) -> None:
    with pytest.raises(REFUSED):
        program(block)(shown(SECRET), sent(), BODY + b" ")
    with pytest.raises(REFUSED):
        program(block)(shown(secret_of("other")), sent(), BODY)


@each
@pytest.mark.parametrize("ago", [timedelta(minutes=6), -timedelta(minutes=6)])
def test_a_call_of_another_time_is_not_believed(block: Block, ago: timedelta) -> None:
    with pytest.raises(REFUSED):
        program(block)(shown(SECRET), sent(ago=ago), BODY)
