"""The default campaign: whoever writes and is not known is asked who they are, and lets go of whoever signs up."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.functional.test_received_mails import ADA, US, mail
from tests.support.world import THEIR_NUMBER, World

from tidings.automations.definition.source import read
from tidings.messages.model import TemplateInput
from tidings_cli.ready.campaign import FOLDER, NAME, begin

EXAMPLES = Path(__file__).parents[2] / "examples"


class Api:
    """The client of the command line, over a world's handlers."""

    def __init__(self, world: World) -> None:
        self._world = world

    def get(self, *path: str) -> dict[str, Any]:
        from tidings_cli.client import ApiError

        status, answer = self._world.call("automations", "GET /v1/automations/{name}", path={"name": path[1]})
        if status != 200:
            raise ApiError(status, answer)
        return answer

    def put(self, *path: str, body: Any) -> dict[str, Any]:
        kind, name = path
        status, answer = self._world.call(kind, f"PUT /v1/{kind}/{{name}}", body, path={"name": name})
        assert status == 200, answer
        return answer

    def post(self, *path: str) -> dict[str, Any]:
        route = "POST /v1/automations/{name}/publish"
        status, answer = self._world.call("automations", route, path={"name": path[1]})
        assert status == 200, answer
        return answer


@pytest.fixture
def new(world: World) -> World:
    """A workspace that has just begun."""
    assert begin(Api(world))  # type: ignore[arg-type]
    return world


def test_it_is_begun_once_whatever_became_of_it(new: World) -> None:
    assert not begin(Api(new))  # type: ignore[arg-type]


def test_its_files_are_among_the_examples() -> None:
    assert (EXAMPLES / "automations" / f"{NAME}.yaml").read_text() == (FOLDER / f"{NAME}.yaml").read_text()
    for file in FOLDER.glob("who-*.yaml"):
        assert (EXAMPLES / "templates" / file.name).read_text() == file.read_text()
        TemplateInput.model_validate(read(file.read_text(encoding="utf-8")))


def writes(world: World, text: str = "Do you deliver?") -> str:
    """Somebody whom nobody knows texts; their contact."""
    assert world.receive(world.text(text)) == []
    world.run()
    world.now += timedelta(minutes=1)
    return str(world.contact(phone=THEIR_NUMBER)["contact"])


def asked(world: World) -> list[str]:
    return [text["MessageBody"] for text in world.sms.to(THEIR_NUMBER)]


def way(world: World, contact: str) -> dict[str, Any]:
    (found,) = world.of_contact(contact, "enrolments")
    return found


def test_whoever_texts_and_is_not_known_is_asked_once_and_handed_over_when_they_answer(new: World) -> None:
    stranger = writes(new)
    assert len(asked(new)) == 1
    assert "What is your name" in asked(new)[0]
    writes(new, "Ada, ada@people.example")
    path = [(step["component"], step["outcome"]) for step in way(new, stranger)["path"]]
    assert path[:3] == [("channel", "Wrote a text"), ("ask_by_text", "accepted"), ("answer", "answered")]
    assert path[3] == ("hand_over", "assigned")
    writes(new, "Hello?")
    assert len(asked(new)) == 1


def test_whoever_mails_is_asked_by_mail_in_the_same_conversation(new: World) -> None:
    with new.recorder.unseen():
        new.accounts.configure("acme", {"inbound_address": US})
    assert new.receive_mail(new.mail_in(mail(), US)) == []
    new.run()
    (sent,) = new.ses.accepted
    assert sent["Destination"]["ToAddresses"] == [ADA]
    assert sent["Content"]["Simple"]["Subject"]["Data"] == "Whom may we answer?"


def test_whoever_is_known_is_not_asked(new: World) -> None:
    new.identify("ada", phone=THEIR_NUMBER)
    ada = writes(new)
    assert asked(new) == []
    assert new.of_contact(ada, "enrolments") == []


def test_whoever_signs_up_is_let_go_of_at_once(new: World) -> None:
    stranger = writes(new)
    assert way(new, stranger)["state"] == "live"
    path = {"contact": stranger}
    status, _ = new.call("change_contacts", "PATCH /v1/contacts/{contact}", {"user_id": "ada"}, path=path)
    assert status == 200
    new.pump()
    assert (way(new, stranger)["state"], way(new, stranger)["left"]["exit"]) == ("exited", "Signed up")


def test_a_device_that_somebody_signs_in_on_lets_go_too(new: World) -> None:
    """A person who wrote without being known, and signs in: the two contacts become one."""
    stranger = writes(new)
    new.identify("ada", firstName="Ada")
    new.now += timedelta(minutes=1)
    body = {"contact": stranger, "into": new.contact(user_id="ada")["contact"], "idempotency_key": "k-1"}
    assert new.call("merges", "POST /v1/merges", body)[0] == 200
    new.pump()
    ada = new.contact(user_id="ada")["contact"]
    assert [one["left"]["exit"] for one in new.of_contact(ada, "enrolments")] == ["Signed up"]
