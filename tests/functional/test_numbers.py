"""Phone numbers of a workspace: taken over from AWS, each one workspace's; and the words that people answer."""

from __future__ import annotations

from typing import Any

import pytest
from tests.functional.test_inbound_texts import sent, timeline
from tests.support.world import INBOUND_TOPIC, OUR_NUMBER, THEIR_NUMBER, World

NUMBER = "+48732100300"


def number(world: World, method: str, name: str = NUMBER, body: Any = None, **more: Any) -> tuple[int, dict[str, Any]]:
    return world.call("numbers", f"{method} /v1/numbers/{{number}}", body, path={"number": name}, **more)


def keyword(world: World, method: str, name: str, body: Any = None) -> tuple[int, dict[str, Any]]:
    return world.call("numbers", f"{method} /v1/keywords/{{keyword}}", body, path={"keyword": name})


def test_a_number_is_taken_over_as_aws_has_it(world: World) -> None:
    world.numbers.add(NUMBER, PoolId="pool-1", OptOutListName="Ours", MessageType="PROMOTIONAL")
    status, answer = number(world, "PUT")
    assert status == 200
    assert answer["kinds"] == ["marketing"]
    assert (answer["country"], answer["pool"], answer["opt_out_list"]) == ("PL", "pool-1", "Ours")
    assert not answer["two_way"]
    assert "two_way" in answer["todo"][0]
    assert world.sms.of("UpdatePhoneNumber") == []


def test_answers_are_let_come_here_where_it_is_asked_for(world: World) -> None:
    world.numbers.add(NUMBER)
    status, answer = number(world, "PUT", body={"two_way": True, "self_managed": True})
    assert (status, answer["two_way"], answer["self_managed"], answer["todo"]) == (200, True, True, [])
    (update,) = world.sms.of("UpdatePhoneNumber")
    assert update["TwoWayChannelArn"] == INBOUND_TOPIC
    number(world, "PUT", body={"two_way": True, "self_managed": True})
    assert len(world.sms.of("UpdatePhoneNumber")) == 1  # nothing was left to set


def test_a_number_whose_answers_go_elsewhere_is_shown_as_such(world: World) -> None:
    world.numbers.add(NUMBER, TwoWayEnabled=True, TwoWayChannelArn=f"{INBOUND_TOPIC}-of-others")
    _, answer = number(world, "PUT")
    assert not answer["two_way"]
    assert INBOUND_TOPIC in answer["todo"][0]
    assert "silent" in answer["todo"][1]


def test_what_changed_at_aws_is_told_until_the_number_is_added_again(world: World) -> None:
    world.numbers.add(NUMBER)
    number(world, "PUT", body={"two_way": True, "self_managed": True})
    world.numbers.held[NUMBER] |= {"SelfManagedOptOutsEnabled": False, "Status": "PENDING"}
    _, answer = number(world, "GET")
    assert answer["self_managed"]
    assert "pending" in answer["todo"][0]
    assert "changed" in answer["todo"][-1]
    del world.numbers.held[NUMBER]
    _, answer = number(world, "GET")
    assert "no longer" in answer["todo"][0]


def test_a_number_is_one_workspaces_until_it_gives_it_up(world: World) -> None:
    world.numbers.add(NUMBER)
    assert number(world, "PUT")[0] == 200
    status, answer = number(world, "PUT", body={"two_way": True}, key=world.other_secret)
    assert (status, answer["code"]) == (409, "number_taken")
    assert world.sms.of("UpdatePhoneNumber") == []  # nor was it set up for them
    assert number(world, "DELETE")[0] == 200
    assert number(world, "PUT", key=world.other_secret)[0] == 200
    assert number(world, "GET")[1]["code"] == "unknown_number"


def test_a_text_comes_to_the_workspace_that_has_its_number(world: World) -> None:
    world.numbers.add(NUMBER)
    number(world, "PUT", key=world.other_secret, body={"two_way": True})
    assert world.receive(world.text("hello", to=NUMBER)) == []
    for key, many in (("secret", 0), (world.other_secret, 1)):
        _, answer = world.call("contacts", "GET /v1/contacts", query={"phone": THEIR_NUMBER}, key=key)
        assert len(answer["contacts"]) == many


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("no-number", {}, "invalid_number"),
        ("+48799999999", {}, "unknown_number"),
        (NUMBER, {"two_way": False}, "invalid_number_setup"),
        (NUMBER, {"kinds": ["other"]}, "invalid_number_setup"),
        (NUMBER, {"unknown": True}, "invalid_number_setup"),
    ],
)
def test_what_is_no_number_is_refused(world: World, name: str, body: dict[str, Any], code: str) -> None:
    world.numbers.add(NUMBER)
    status, answer = number(world, "PUT", name, body)
    assert (status, answer["code"]) in ((400, code), (404, code))


def test_what_aws_refuses_is_told(world: World) -> None:
    world.numbers.add(NUMBER)

    def refuse(arguments: dict[str, Any]) -> dict[str, Any]:
        from tests.support.texts import fail

        fail("ConflictException", "UpdatePhoneNumber")
        return {}

    world.sms.answers["UpdatePhoneNumber"] = refuse
    status, answer = number(world, "PUT", body={"two_way": True})
    assert (status, answer["code"]) == (400, "sms_refused")
    assert number(world, "GET")[0] == 404  # it was not taken


def test_numbers_are_listed_and_taken_away(world: World) -> None:
    world.numbers.add(NUMBER)
    number(world, "PUT", "48732100300")
    _, answer = world.call("numbers", "GET /v1/numbers")
    assert [one["number"] for one in answer["numbers"]] == [OUR_NUMBER, NUMBER]
    assert number(world, "DELETE")[0] == 200
    assert number(world, "DELETE")[0] == 404


def test_a_keyword_is_defined_shown_and_taken_away(world: World) -> None:
    body = {"words": ["TAK"], "meaning": "confirm", "number": OUR_NUMBER, "language": "pl", "answer": "Do zobaczenia"}
    assert keyword(world, "PUT", "confirm-pl", body) == (200, {**body, "keyword": "confirm-pl", "template": ""})
    assert keyword(world, "GET", "confirm-pl")[1]["meaning"] == "confirm"
    assert len(world.call("numbers", "GET /v1/keywords")[1]["keywords"]) == 1
    assert keyword(world, "DELETE", "confirm-pl")[0] == 200
    assert keyword(world, "GET", "confirm-pl")[1]["code"] == "unknown_keyword"


CONFIRM = {"words": ["TAK"], "meaning": "confirm"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({**CONFIRM, "words": ["stop"]}, "invalid_keyword"),
        ({**CONFIRM, "words": ["Help!"]}, "invalid_keyword"),
        ({**CONFIRM, "words": ["unstop"]}, "invalid_keyword"),
        ({**CONFIRM, "words": ["x" * 31]}, "invalid_keyword"),
        ({**CONFIRM, "words": [""]}, "invalid_keyword"),
        ({**CONFIRM, "words": ["?!"]}, "invalid_keyword"),
        ({**CONFIRM, "words": []}, "invalid_keyword"),
        ({**CONFIRM, "meaning": "Confirm it"}, "invalid_keyword"),
        ({**CONFIRM, "language": "Polish"}, "invalid_keyword"),
        ({**CONFIRM, "number": "+48799999999"}, "unknown_number"),
        ({**CONFIRM, "answer": "Hi", "template": "tips"}, "invalid_keyword"),
        ({**CONFIRM, "answer": "{{ contact.first_name"}, "invalid_keyword"),
        ({"words": ["nie"], "meaning": "stop"}, "keyword_taken"),
        ({"words": ["NIE."], "meaning": "decline"}, "keyword_taken"),
    ],
)
def test_what_is_no_keyword_is_refused(world: World, body: dict[str, Any], code: str) -> None:
    assert keyword(world, "PUT", "no", {"words": ["nie"], "meaning": "refuse"})[0] == 200
    status, answer = keyword(world, "PUT", "confirm", body)
    assert status == {"unknown_number": 404, "keyword_taken": 409}.get(code, 400)
    assert answer["code"] == code


def test_the_owners_words_for_stop_count_in_every_language_and_get_the_owners_answer(world: World) -> None:
    own = {"words": ["rezygnuje"], "meaning": "stop", "language": "pl", "answer": "Papa, {{ variables.brand }}."}
    assert keyword(world, "PUT", "stop-pl", own)[0] == 200
    assert world.receive(world.text("Rezygnuje!")) == []
    assert sent(world) == ["Papa, Acme."]
    contact = world.contact(phone=THEIR_NUMBER)["contact"]
    (received,) = timeline(world, contact, "SMS Received")
    assert (received["properties"]["keyword"], received["properties"]["meaning"]) == ("rezygnuje", "stop")


def test_an_answer_may_be_a_template_of_text(world: World) -> None:
    world.call(
        "templates",
        "PUT /v1/templates/{name}",
        {"channel": "sms", "text": "See you, {{ variables.keyword }}", "kind": "transactional"},
        path={"name": "see-you"},
    )
    keyword(world, "PUT", "confirm", {**CONFIRM, "template": "see-you"})
    assert world.receive(world.text("tak")) == []
    assert sent(world) == ["See you, TAK"]


def test_keywords_take_no_more_room_than_there_is_beside_all_else_of_the_workspace(world: World) -> None:
    body = {"meaning": "confirm", "answer": "\N{GRINNING FACE}" * 1600}
    answers = [keyword(world, "PUT", f"k-{n}", {**body, "words": [f"w{n}"]}) for n in range(16)]
    assert [status for status, _ in answers] == [200] * 15 + [409]
    assert answers[-1][1]["code"] == "too_many_keywords"
    assert keyword(world, "PUT", "k-1", {"meaning": "confirm", "words": ["w1"]})[0] == 200
