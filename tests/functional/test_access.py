"""What is never stored and never written to a log: keys, and personal data."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from tests.support.world import World

from tidings.core.logs import logger

ADA = "ada@people.example"
AUTOMATION = {
    "description": "canary",
    "trigger": {"event": "Signed Up"},
    "start": "tips",
    "components": {"tips": {"type": "send_email", "template": "tips"}},
}


def test_keys_are_stored_by_their_fingerprint_only(world: World) -> None:
    stored = json.dumps(world.items("TABLE_API_KEYS"))
    for key in [*world.keys.values(), world.other_secret]:
        assert key not in stored
        assert key.partition("_")[2] not in stored


# --- logs ------------------------------------------------------------------------------------------------------------


@contextmanager
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[list[str]]:
    """The lines that functions write to their log, formatted as they are."""
    lines: list[str] = []
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logger.registered_formatter)
    logger.addHandler(handler)
    capsys.readouterr()
    try:
        yield lines
    finally:
        logger.removeHandler(handler)
        printed = capsys.readouterr()
        lines += (stream.getvalue() + printed.out + printed.err).splitlines()


PRIVATE = [ADA, "people.example", "Lovelace", "secret-plan", "203.0.113.9", "Private words", "+48600100200"]


def test_no_log_line_of_a_main_job_with_all_its_mishaps_holds_personal_data(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    with logged(capsys) as lines:
        _mishaps(world)
    text = "\n".join(lines)
    for code in ("invalid_type", "unknown_contact", "invalid_api_key", "set aside", "feedback failed", "not started"):
        assert code in text  # the mishaps did happen, and were logged
    assert [word for word in [*PRIVATE, *world.keys.values()] if word in text] == []


def _mishaps(world: World) -> None:
    """The main job, and everything that can go wrong around it."""
    world.template("tips", subject="Private words for {{ contact.last_name }}", text="Private words")
    world.automation({"automation": "tour", **AUTOMATION})
    world.identify("ada", email=ADA, lastName="Lovelace", phone="+48600100200")
    world.start_failures = ["ThrottlingException"]
    world.track("ada", "Signed Up", plan="secret-plan")
    waiting = [{"messageId": "q-1", "body": json.dumps(body)} for body in world.messages_in("starts")]
    world.invoke("start_enrolments", {"Records": [*waiting, {"messageId": "q-2", "body": f'"{ADA}"'}]})
    world.run()
    (mail,) = world.ses.accepted
    recipient = {"emailAddress": ADA, "diagnosticCode": f"550 {ADA} is unknown"}
    world.feedback(world.ses.event("Bounce", mail, bounceType="Permanent", bouncedRecipients=[recipient]))
    world.feedback({"eventType": "Send", "recipient": ADA})
    for failure in ("MessageRejected", "TooManyRequestsException", "timeout"):
        world.ses.failing = [failure]
        order = {"to": {"email": f"{failure}@people.example"}, "template": "tips", "idempotency_key": failure}
        world.call("send_email", "POST /v1/emails", order)
    for wrong in (
        {"to": {"email": ADA}, ADA: "Lovelace"},
        {"to": {"user_id": ADA}, "template": "tips", "idempotency_key": "k"},
        {"to": {ADA: ADA}, "template": "tips", "idempotency_key": "k"},
    ):
        world.call("send_email", "POST /v1/emails", wrong)
    world.ingest("track", {"userId": ADA, "event": "Signed Up", "properties": ["secret-plan"]})
    world.ingest("identify", {"userId": "ada", "traits": {"email": ADA}}, "wk_nobodys")
    world.ingest("batch", {"batch": [{"userId": ADA, "type": ADA}]})
    for wrong in ({"email": "Lovelace"}, {"email": ADA, "phone": "secret-plan"}, {"email": ADA, "name": "Lovelace"}):
        world.call("forms", "POST /v1/forms", {"form": "Private words", "traits": wrong})
    world.call("contacts", "GET /v1/contacts", query={"email": "nobody@people.example"})
    world.call("contacts", "GET /v1/contacts/{contact}", path={"contact": ADA})
    world.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", path={"channel": ADA, "address": ADA})
    world.call("templates", "PUT /v1/templates/{name}", {"subject": "Private words {{ x }}"}, path={"name": ADA})
    world.call("automations", "PUT /v1/automations/{name}", {ADA: "Private words"}, path={"name": "tour"})
    world.invoke("react", {"Records": [world.record({"pk": {"S": f"acme#email#{ADA}"}, "sk": {"S": ADA}})]})
    world.now += timedelta(hours=1)
    world.invoke("settle_messages", {})
