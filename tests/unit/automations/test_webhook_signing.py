"""How webhooks are signed, by the word of the library that receivers use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from tidings.automations.webhooks.signing import secret_of, shown, signed


def now() -> datetime:
    """What the library compares with, which wants it within five minutes of when it looks."""
    return datetime.now(UTC)


@given(st.text(min_size=1), st.text(min_size=1, alphabet="abcdefgh-234567"), st.text())
def test_what_is_signed_is_believed_by_the_library_of_receivers(secret: str, message: str, body: str) -> None:
    sent = body.encode("utf-8", "replace")
    headers = signed([secret_of(secret)], message, now(), sent)
    Webhook(shown(secret_of(secret))).verify(sent, headers, json_parse=False)


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "m-2"},
        {"webhook-timestamp": str(int(now().timestamp()) + 10)},
        {"webhook-signature": "v1,AAAA"},
    ],
)
def test_what_was_changed_on_the_way_is_not_believed(change: dict[str, str]) -> None:
    headers = signed([secret_of("acme")], "m-1", now(), b"{}")
    with pytest.raises(WebhookVerificationError):
        Webhook(shown(secret_of("acme"))).verify(b"{}", headers | change, json_parse=False)
    with pytest.raises(WebhookVerificationError):
        Webhook(shown(secret_of("acme"))).verify(b"[]", headers, json_parse=False)


def test_what_is_sent_again_much_later_is_not_believed() -> None:
    headers = signed([secret_of("acme")], "m-1", now() - timedelta(minutes=6), b"{}")
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(shown(secret_of("acme"))).verify(b"{}", headers)


def test_each_workspace_and_each_turn_has_a_secret_of_its_own() -> None:
    assert len({secret_of("acme"), secret_of("other"), secret_of("acme", 1), secret_of("acme", 2)}) == 4
    assert secret_of("acme") == secret_of("acme", 0)
    assert len(secret_of("acme")) == 32


def test_the_secret_that_is_shown_tells_nothing_of_the_one_it_is_made_of() -> None:
    assert "acme" not in shown(secret_of("acme"))
    assert shown(secret_of("acme")).startswith("whsec_")


def test_a_workspace_without_a_secret_signs_nothing() -> None:
    with pytest.raises(ValueError, match="needs a secret"):
        secret_of("")


def test_while_two_secrets_are_valid_either_is_believed() -> None:
    new, old = secret_of("acme", 1), secret_of("acme")
    headers = signed([new, old], "m-1", now(), b"{}")
    for secret in (new, old):
        Webhook(shown(secret)).verify(b"{}", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(shown(secret_of("other"))).verify(b"{}", headers)
