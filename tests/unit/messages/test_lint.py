"""What lint finds in a template: what keeps it from being applied, and what its writer should know."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tidings.automations.definition.source import read
from tidings.messages.addresses import fault_of
from tidings.messages.lint import FINDINGS, HARMLESS_LINK, Examined, examine
from tidings.messages.model import AS_WRITTEN

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


def examined(data: dict[str, Any] | None = None, **fields: Any) -> Examined:
    body = {"template": "tips", "subject": "Tips", "kind": "transactional", "text": "Hello", **fields}
    return examine({name: value for name, value in body.items() if value is not None}, NOW, data)


def found(data: dict[str, Any] | None = None, **fields: Any) -> list[tuple[str, str, str]]:
    return [(one.code, one.severity, one.field) for one in examined(data, **fields).findings]


def test_a_template_in_order_has_nothing_to_find() -> None:
    assert (
        found(html='<p>Hello</p><a href="https://acme.example">x</a><img src="https://acme.example/x.png" alt="">')
        == []
    )


@pytest.mark.parametrize(
    ("fields", "finding"),
    [
        ({"text": "{{ contact.name"}, ("invalid_template", "error", "text")),
        ({"html": "{% if contact.x %}"}, ("invalid_template", "error", "html")),
        ({"subject": "{{ nobody }}"}, ("unknown_variable", "error", "subject")),
        ({"preheader": "{{ nobody }}"}, ("unknown_variable", "error", "preheader")),
        ({"text": "{{ contact.name | shout }}"}, ("unknown_filter", "error", "text")),
        ({"subject": ""}, ("invalid_template", "error", "subject")),
        ({"subject": "x" * 999}, ("invalid_template", "error", "subject")),
        ({"subject": None}, ("invalid_template", "error", "subject")),
        ({"text": None}, ("invalid_template", "error", "html")),
        ({"text": "x" * 200_000, "html": "x" * 200_000}, ("template_too_large", "error", "")),
        ({"colour": 1}, ("invalid_template", "error", "colour")),
        ({"subject": "x" * 51}, ("long_subject", "warning", "subject")),
        ({"kind": None}, ("no_unsubscribe_link", "warning", "text")),
        ({"kind": "marketing"}, ("no_unsubscribe_link", "warning", "text")),
        ({"kind": "marketing", "html": "<p>x</p>"}, ("no_unsubscribe_link", "warning", "html")),
        ({"text": "{{ variables.code }}"}, ("missing_variable", "warning", "text")),
        ({"subject": "{{ variables['code'] | upcase }}"}, ("missing_variable", "warning", "subject")),
        ({"html": "{{ 'x' | append: variables.code }}"}, ("missing_variable", "warning", "html")),
        ({"html": '<img src="https://acme.example/x.png">'}, ("missing_alt", "warning", "html")),
        ({"html": '<style>p{a:b}</style><p class="{{ event.x }}">'}, ("not_inlined", "warning", "html")),
        ({"text": None, "html": '<img alt="" src="https://acme.example/x">'}, ("no_text", "warning", "html")),
        ({"html": '<a href="htp://acme.example">x</a>'}, ("broken_link", "error", "html")),
        ({"html": '<area href="">'}, ("broken_link", "error", "html")),
        ({"html": '<img alt="" src="logo.png">'}, ("broken_link", "error", "html")),
        ({"html": '<a href="http://localhost:8080/">x</a>'}, ("private_link", "warning", "html")),
        ({"html": '{% if event.x %}<a href="{% endif %}">x</a>'}, ("broken_link", "error", "html")),
        ({"html": '<a href="{{ variables.url }}">x</a>', "variables": {"url": "acme.example"}},
         ("broken_link", "error", "html")),
        ({"html": '<a href="{{ variables.url }}/x">x</a>', "variables": {"url": "https://"}},
         ("broken_link", "error", "html")),
        ({"html": '<a href="javascript:{{ contact.x }}">x</a>'}, ("broken_link", "error", "html")),
        ({"html": '<a href="/pages/{{ contact.x }}">x</a>'}, ("broken_link", "error", "html")),
    ],
)  # fmt: skip
def test_each_mistake_is_found_with_its_field(fields: dict[str, Any], finding: tuple[str, str, str]) -> None:
    assert finding in found(**fields)
    assert len(found(**fields)) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"subject": "{{ contact.first_name | default: 'a long default that nobody sees here' }} x"},
        {"kind": "marketing", "text": "{{ unsubscribe_url }}"},
        {"text": "{{ variables.code | default: 'x' }}"},
        {"text": "{% if variables.code %}{{ variables.code }}{% endif %}"},
        {"text": "{{ variables.code }}", "variables": {"code": ""}},
        {"html": '<a href="{{ contact.url }}">x</a>'},
        {"html": '<a href="{{ variables.url }}/x">y</a>', "variables": {"url": "https://acme.example"}},
        {"html": '{% for one in event.items %}<a href="{{ one.url }}">x</a>{% endfor %}'},
        {"html": '<a href="https://acme.example/{% if event.x %}a{% else %}b{% endif %}">x</a>'},
        {"html": '<a href="https://acme.example/?a=1&amp;b={{ contact.x }}">x</a>'},
        {"html": '<a name="top">x</a><a href="#top">x</a><a href="mailto:hi@acme.example">x</a><a href="tel:4">x</a>'},
        {"html": '<!--[if mso]><a href="">x</a><![endif]-->x'},
        {"html": '<img alt="" src="cid:logo">'},
    ],
)  # fmt: skip
def test_what_is_right_is_let_be(fields: dict[str, Any]) -> None:
    assert found(**fields) == []


def test_everything_is_found_at_once() -> None:
    assert found(subject="{{ a }}", preheader="{{ b }}", text="{{ c }}", html="{{ d }}") == [
        ("unknown_variable", "error", field) for field in ("subject", "preheader", "text", "html")
    ]


def test_errors_come_first_and_no_list_is_endless() -> None:
    fields = {"subject": "x" * 60, "html": "".join(f'<a href="x{number}">x</a>' for number in range(500))}
    answer = examined(**fields)
    assert len(answer.findings) == FINDINGS
    assert {one.severity for one in answer.findings} == {"error"}
    assert [one.code for one in examined(subject="x" * 60, html='<a href="">x</a>').findings] == [
        "broken_link",
        "long_subject",
    ]


def test_a_message_names_what_and_where() -> None:
    html = '<a href="htp://acme.example">x</a>{{ variables.code }}'
    messages = [one.message for one in examined(html=html).findings]
    assert messages[0] == "href of a (htp://acme.example): there is no htp: for mails."
    assert messages[1].startswith("variables.code has no default")


# --- with somebody's data --------------------------------------------------------------------------------------------

SOMEBODY = {"contact": {"first_name": "Ada", "plan": ""}, "event": {"seats": 0}}


@pytest.mark.parametrize(
    ("text", "empty"),
    [
        ("{{ contact.first_name }} {{ event.seats }}", []),
        ("{{ contact.last_name }}", ["contact.last_name"]),
        ("{{ contact.plan }}{{ contact.plan }}", ["contact.plan"]),
        ("{{ contact.company.name | upcase }}", ["contact.company.name"]),
        ("{{ contact.last_name | default: 'you' }}", []),
        ("{% if contact.nobody %}{{ contact.last_name }}{% endif %}", []),
        ("{{ unsubscribe_url }}{{ message.id }}", []),
    ],
)
def test_what_comes_out_as_nothing_for_somebody_is_named(text: str, empty: list[str]) -> None:
    answer = examined(SOMEBODY, text=text)
    assert [one.message for one in answer.findings] == [
        f"{name} comes out as nothing for this person." for name in empty
    ]


def test_a_name_is_told_once_where_the_text_is_made_of_the_html() -> None:
    assert found(SOMEBODY, text=None, html="<p>{{ contact.last_name }}!</p>") == [("empty_variable", "warning", "html")]


def test_a_template_that_fails_for_somebody_is_wrong() -> None:
    assert found(SOMEBODY, text="{{ 1 | divided_by: event.seats }}") == [("template_failed", "error", "text")]


def test_a_subject_that_grows_too_long_for_somebody_is_told() -> None:
    data = {"contact": {"name": "x" * 60}}
    assert found(data, subject="{{ contact.name }}") == [("long_subject", "warning", "subject")]


EXAMPLES = sorted((Path(__file__).parents[3] / "examples" / "templates").glob("*.yaml"))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: str(file.stem))
def test_the_examples_can_be_applied(file: Path) -> None:
    answer = examine(read(file.read_text(encoding="utf-8")), NOW)
    assert answer.errors == []
    assert {one.code for one in answer.warnings} <= {"no_unsubscribe_link", "long_subject", "unicode_text"}


def test_what_is_made_is_made_only_of_what_is_right() -> None:
    wrong = examined(html="{% if %}")
    assert (wrong.content, wrong.made) == (None, AS_WRITTEN)
    assert examined(text=None, html="<p>Hi</p>").made.text == "Hi\n"
    assert examined(html="<p>Hi</p>").made == AS_WRITTEN


# --- addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    ["https://acme.example", "HTTP://acme.example:8080/a?b#c", "https://żółw.example/", "https://203.0.114.9/", "#top",
     "mailto:a@acme.example?subject=x", "tel:+48600100200", "sms:+48600100200", HARMLESS_LINK, " https://a.example "],
)  # fmt: skip
def test_an_address_that_leads_somewhere(address: str) -> None:
    assert fault_of(address) is None


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("", "empty"), ("  ", "empty"), ("#", "nowhere"), ("page.html", "relative"), ("/page", "relative"),
        ("//acme.example", "relative"), ("acme.example", "relative"), ("?a=b", "relative"), ("htp://a.example", "htp"),
        ("https:acme.example", "host"), ("https://", "host"), ("https:///x", "host"), ("https://a b.example", "space"),
        ("https://acme.example/a b", "space"), ("https://acme.example/\n", None), ("https://[::1", "read"),
        ("https://acme.example:99999", "read"), ("javascript:alert(1)", "javascript"), ("JavaScript:x", "javascript"),
        ("data:text/html,x", "data"), ("file:///etc/hosts", "file"), ("mailto:", "e-mail"), ("mailto:ada", "e-mail"),
        ("tel:", "number"), ("myapp://open", "myapp"),
    ],
)  # fmt: skip
def test_an_address_that_leads_nowhere(address: str, reason: str | None) -> None:
    fault = fault_of(address)
    assert (fault is None) if reason is None else (fault is not None and reason in fault.reason and not fault.private)


@pytest.mark.parametrize(
    "host",
    ["localhost", "127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.169.254", "[::1]", "intranet", "a.local", "x.test"],
)
def test_an_address_of_ones_own_machines(host: str) -> None:
    fault = fault_of(f"https://{host}/x")
    assert fault is not None
    assert fault.private
