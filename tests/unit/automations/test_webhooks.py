"""What a webhook tells, and what a step keeps of the answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.automations.test_machines import ARNS

from tidings.automations.definition.model import Definition, parse_definition
from tidings.automations.definition.rules import check
from tidings.automations.enrolments.model import StepTaken
from tidings.automations.machines.compile import compile as compile_machine
from tidings.automations.steps.answers import answers_of
from tidings.automations.webhooks.body import MAX_BODY_BYTES, filled, require_body
from tidings.automations.webhooks.retry import RETRIES
from tidings.automations.webhooks.task import KEPT_CHARACTERS, KEPT_JSON_BYTES, kept
from tidings.core.errors import InvalidInput

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DATA: dict[str, Any] = {
    "contact": {"first_name": "Zoë", "seats": 3, "id": "c1", "user_id": "u-1"},
    "event": {"plan": "team", "items": [{"sku": "a"}, {"sku": "b"}]},
    "automation": {"name": "tour", "version": 2, "entry": "e", "component": "tell"},
}


@dataclass(frozen=True)
class Answer:
    """An answer as the gateway tells it."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    reason: str = ""
    again: bool = False

    @property
    def went_well(self) -> bool:
        return 200 <= self.status < 300


# --- what is told -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("Hello {{ contact.first_name }}", "Hello Zoë"),
        ({"name": "{{ contact.first_name }}", "n": 1, "b": True}, {"name": "Zoë", "n": 1, "b": True}),
        ({"a": {"b": None}}, {"a": {"b": None}}),
        (["{{ event.plan | upcase }}", ["{{ automation.name }} {{ automation.version }}"]], ["TEAM", ["tour 2"]]),
        ({"skus": "{% for item in event.items %}{{ item.sku }}{% endfor %}"}, {"skus": "ab"}),
        ({"{{ contact.id }}": "{{ contact.id }} {{ contact.user_id }}"}, {"{{ contact.id }}": "c1 u-1"}),
        ({"missing": "{{ contact.nickname }}."}, {"missing": "."}),
        ({"plain": "100 % {sure}"}, {"plain": "100 % {sure}"}),
        (5, 5),
        ([], []),
    ],
)  # fmt: skip
def test_texts_of_a_body_are_filled_and_all_else_stays(body: Any, told: Any) -> None:
    require_body(body)
    assert json.loads(filled(body, DATA, NOW)) == told


def test_what_a_person_is_called_cannot_change_the_form_of_a_body() -> None:
    data = {**DATA, "contact": {"first_name": '", "admin": true, "x": "'}}
    assert json.loads(filled({"name": "{{ contact.first_name }}"}, data, NOW)) == {"name": '", "admin": true, "x": "'}


def test_a_body_is_utf_8_and_its_size_is_bounded() -> None:
    assert filled("{{ contact.first_name }}", DATA, NOW) == '"Zoë"'.encode()
    long = {**DATA, "contact": {"first_name": "a" * MAX_BODY_BYTES}}
    with pytest.raises(InvalidInput, match="webhook_body_too_large"):
        filled("{{ contact.first_name }}", long, NOW)


def test_half_of_a_surrogate_pair_breaks_no_body() -> None:
    data = {**DATA, "contact": {"first_name": "Zo\ud83d"}}
    assert filled("{{ contact.first_name }}", data, NOW) == b'"Zo?"'


@pytest.mark.parametrize(
    "text", ["{{ contact.seats | divided_by: 0 }}", "{% for i in (1..99999) %}aaaaaaaaa{% endfor %}"]
)
def test_liquid_that_fails_or_grows_without_end_is_said_so(text: str) -> None:
    with pytest.raises(InvalidInput, match="template_failed"):
        filled({"a": text}, DATA, NOW)


def definition(**webhook: Any) -> dict[str, Any]:
    told = {"type": "webhook", "url": "https://hooks.example.com/in", **webhook}
    return {"automation": "tour", "trigger": {"event": "Signed Up"}, "start": "tell", "components": {"tell": told}}


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        ({"a": ["x", {"b": "{{ contact.id"}]}, "invalid_template", "components.tell.body.a[1].b"),
        ({"a": "{% if %}"}, "invalid_template", "components.tell.body.a"),
        ("{% include 'x' %}", "invalid_template", "components.tell.body"),
        ({"a": "{{ contect.id }}"}, "unknown_variable", "components.tell.body.a"),
        ({"a": "{{ unsubscribe_url }}"}, "unknown_variable", "components.tell.body.a"),
        ({"a": "{{ contact.id | shout }}"}, "unknown_filter", "components.tell.body.a"),
    ],
)
def test_a_mistake_in_the_liquid_of_a_body_is_found_before_it_is_published(body: Any, code: str, place: str) -> None:
    _, problems = check(definition(body=body))
    assert [(one.code, one.component, one.place) for one in problems] == [(code, "tell", place)]


def deep(levels: int) -> Any:
    value: Any = "{{ contact.id }}"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("webhook", "place", "message"),
    [
        ({"url": "http://hooks.example.com"}, "url", "must begin with https://"),
        ({"url": 5}, "url", "must be an address such as"),
        ({"url": None}, "url", "must be an address such as"),
        ({"method": "GET"}, "method", "POST"),
        ({"headers": {"Host": "a"}}, "headers", "Host is not yours to set"),
        ({"headers": {"X-Key": 5}}, "headers", "must be names with a text each"),
        ({"headers": ["X-Key"]}, "headers", "must be names with a text each"),
        ({"body": {"a": "a" * 32_768}}, "body", "at most 32 KB"),
        ({"body": deep(100)}, "body", "nested at most"),
        ({"body": "\ud800"}, "body", "what JSON can say"),
    ],
)
def test_a_webhook_that_cannot_be_called_is_refused(webhook: dict[str, Any], place: str, message: str) -> None:
    read, problems = check(definition(**webhook))
    assert read is None
    assert problems[0].code == "invalid_definition"
    assert problems[0].place == f"components.tell.{place}"
    assert message in problems[0].message


def test_a_deep_body_is_filled() -> None:
    assert check(definition(body=deep(99)))[1] == []
    assert json.loads(filled(deep(99), DATA, NOW)) is not None


@pytest.mark.parametrize("body", [{"a": None, "b": [None, {"c": None}]}, {}, [], "", 0, False])
def test_a_body_is_kept_as_it_was_written(body: Any) -> None:
    written = definition(body=body)
    assert parse_definition(parse_definition(written).as_dict()).as_dict() == written


def test_a_body_of_null_is_none() -> None:
    assert parse_definition(definition(body=None)).components["tell"].body is None  # type: ignore[union-attr]


def machine(**webhook: Any) -> dict[str, Any]:
    read = parse_definition(definition(**webhook))
    assert isinstance(read, Definition)
    states: dict[str, Any] = compile_machine(read, 1, ARNS)["States"]
    return dict(states["tell"])


def test_the_machine_holds_nothing_that_its_writer_wrote() -> None:
    told = json.dumps(machine(headers={"X-Key": "s3cret"}, body={"a": "hello"}))
    for text in ("hooks.example.com", "s3cret", "X-Key", "hello"):
        assert text not in told


def test_the_machine_repeats_what_was_not_answered_as_often_as_the_task_lets_it() -> None:
    task = machine()
    rules = {tuple(rule["ErrorEquals"]): rule for rule in task["Retry"]}
    assert rules["WebhookUnanswered",]["MaxAttempts"] == RETRIES
    assert task["Parameters"]["Payload"]["retry.$"] == "$$.State.RetryCount"
    # The local engine calls every fault by one name, and knows only this rule for it.
    assert rules["States.ALL",]["MaxAttempts"] >= RETRIES
    assert list(rules)[-1] == ("States.ALL",)
    assert next(iter(rules))[0] == "EnrolmentOver"


def test_the_repeats_last_hours_and_end() -> None:
    (rule,) = [one for one in machine()["Retry"] if one["ErrorEquals"] == ["WebhookUnanswered"]]
    delays = [
        min(rule["IntervalSeconds"] * rule["BackoffRate"] ** number, rule["MaxDelaySeconds"])
        for number in range(RETRIES)
    ]
    assert sum(delays) == 17_810
    assert sum(delays) < 5 * 3600
    assert rule["JitterStrategy"] == "FULL"


def test_other_components_are_repeated_as_before() -> None:
    other = {"type": "check_suppression", "channel": "email"}
    read = parse_definition(definition() | {"components": {"tell": other}})
    task = compile_machine(read, 1, ARNS)["States"]["tell"]
    assert not any(rule["ErrorEquals"] == ["WebhookUnanswered"] for rule in task["Retry"])
    assert "retry.$" not in task["Parameters"]["Payload"]


# --- what is kept -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "content_type", "told"),
    [
        (b'{"tier": "gold", "n": [1, 2.5, null]}', "application/json", {"tier": "gold", "n": [1, 2.5, None]}),
        (b'{"tier": "gold"}', "application/problem+json", {"tier": "gold"}),
        (b'"gold"', "application/json", "gold"),
        (b"null", "application/json", None),
        (b"12", "application/json", 12),
        (b'{"a": 1, "a": 2}', "application/json", {"a": 2}),
        (b'{"a": "\\u0000"}', "application/json", {"a": "\x00"}),
        (b"", "application/json", None),
        (b"OK", "text/plain", "OK"),
        (b'{"tier": "gold"}', "text/plain", '{"tier": "gold"}'),
        (b"not json", "application/json", "not json"),
        (b'{"a": NaN}', "application/json", '{"a": NaN}'),
        (b'{"a": 1e999}', "application/json", '{"a": 1e999}'),
        (b'{"a": "\\ud800"}', "application/json", '{"a": "\\ud800"}'),
        (b"\xff\xfe\xfd", "text/plain", "\ufffd\ufffd\ufffd"),
        (b'{"a": "\xff"}', "application/json", '{"a": "\ufffd"}'),
        (b"[" * 5000, "application/json", "[" * KEPT_CHARACTERS),
        (b"[" * 200 + b"]" * 200, "application/json", "[" * 200 + "]" * 200),
        (b"9" * 5000, "application/json", "9" * KEPT_CHARACTERS),
        (b'"' + b"a" * KEPT_JSON_BYTES + b'"', "application/json", '"' + "a" * (KEPT_CHARACTERS - 1)),
    ],
    ids=range(20),
)  # fmt: skip
def test_what_was_answered_is_kept_as_json_or_as_text(body: bytes, content_type: str, told: Any) -> None:
    assert kept(Answer(body=body, content_type=content_type)) == {"status": 200, "body": told, "reason": ""}


@given(st.binary(max_size=500) | st.text(max_size=100).map(lambda text: json.dumps(text).encode()))
def test_whatever_was_answered_can_be_stored_and_shown(body: bytes) -> None:
    answer = kept(Answer(body=body))
    assert json.loads(json.dumps(answer, ensure_ascii=False, allow_nan=False).encode()) == answer


def test_why_there_was_no_answer_is_kept() -> None:
    silent = Answer(status=0, content_type="", reason="no answer within 20 seconds", again=True)
    assert kept(silent) == {"status": 0, "body": None, "reason": "no answer within 20 seconds"}


def step(n: int, component: str, outcome: str, why: dict[str, Any]) -> StepTaken:
    return StepTaken(n=n, component=component, outcome=outcome, next="", until={}, at=NOW, why=why)


def test_of_several_visits_the_last_one_s_answer_counts() -> None:
    first, second = ({"status": status, "body": None, "reason": ""} for status in (200, 404))
    steps = [
        step(3, "tell", "failed", {"answer": second}),
        step(1, "tell", "answered", {"answer": first}),
        step(2, "ask", "answered", {"answer": first}),
        step(4, "mail", "accepted", {}),
        step(5, "way", "answered", {"answer": "a word"}),
    ]
    assert answers_of(steps) == {"tell": second, "ask": first}
    assert answers_of([]) == {}
