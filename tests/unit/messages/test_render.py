"""Templates: what they may speak of, what they cannot reach, and what bounds them."""

from __future__ import annotations

import contextlib
import itertools
import re
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.core.clock import FixedClock
from tidings.core.errors import InvalidInput
from tidings.messages.model import Template, TemplateInput
from tidings.messages.render import COMPILED_TEMPLATES, FILLER, TEXT, Filling, Rendered, Renderer, compile_template
from tidings.messages.templates import read_template

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
HIDDEN_FILLER = f'<div style="display:none;max-height:0;overflow:hidden;mso-hide:all">{FILLER}</div>'
ADA = {
    "contact": {"id": "c1", "first_name": "Ada", "company": {"name": "Analytical & Sons"}, "tags": ["a", "b"]},
    "event": {"plan": "team", "seats": 4},
    "variables": {},
    "message": {"id": "c1-m"},
}


def content(**fields: Any) -> TemplateInput:
    return read_template({"template": "tips", "subject": "Tips", "text": "Hello", **fields})


def template(version: int = 1, **fields: Any) -> Template:
    return Template("acme", "tips", version, content(**fields), NOW)


def rendered(data: dict[str, Any] | None = None, **fields: Any) -> Rendered:
    return Renderer(FixedClock(NOW)).render(template(**fields), {**ADA, **(data or {})})


def code_of(**fields: Any) -> tuple[str, str | None]:
    with pytest.raises(InvalidInput) as caught:
        compile_template(content(**fields))
    return caught.value.code, caught.value.field


# --- what it says ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("Hello {{ contact.first_name }}", "Hello Ada"),
        ("{{ contact.company.name }}", "Analytical & Sons"),
        ("{{ contact['first_name'] }}", "Ada"),
        ("{{ event.plan }} for {{ event.seats }}", "team for 4"),
        ("{{ message.id }}", "c1-m"),
        ("Hello {{ contact.nickname | default: 'there' }}", "Hello there"),
        ("Hello {{ contact.nickname }}!", "Hello !"),
        ("{{ contact.company.address.city }}", ""),
        ("{% if event.plan == 'team' %}T{% else %}S{% endif %}", "T"),
        ("{% for tag in contact.tags %}{{ tag }},{% endfor %}", "a,b,"),
        ("{% assign name = contact.first_name %}{{ name | upcase }}", "ADA"),
        ("{{ '2026-11-21' | date: '%d.%m.%Y' }}", "21.11.2026"),
    ],
)
def test_a_template_speaks_of_the_contact_the_event_and_its_variables(source: str, says: str) -> None:
    assert rendered(text=source).text == says


def test_variables_have_defaults_that_a_call_may_replace() -> None:
    fields = {"text": "{{ variables.colour }} {{ variables.size }}", "variables": {"colour": "red", "size": "L"}}
    assert rendered(**fields).text == "red L"
    assert rendered({"variables": {"colour": "blue"}}, **fields).text == "blue L"


def test_html_is_escaped_and_text_and_subject_are_not() -> None:
    data = {"contact": {"first_name": "<b>Ada</b>"}}
    source = "{{ contact.first_name }}"
    mail = rendered(data, subject=source, text=source, html=f"<p>{source}</p>")
    assert mail == Rendered("<b>Ada</b>", "<b>Ada</b>", "<p>&lt;b&gt;Ada&lt;/b&gt;</p>")


def test_an_attribute_cannot_be_broken_out_of() -> None:
    data = {"contact": {"url": '"><script>alert(1)</script>'}}
    assert "<script>" not in rendered(data, html='<a href="{{ contact.url }}">x</a>').html


def test_the_preheader_is_hidden_at_the_top_of_the_html_and_escaped() -> None:
    mail = rendered({"contact": {"first_name": "<Ada>"}}, html="<p>x</p>", preheader="For {{ contact.first_name }}")
    assert mail.html.startswith('<div style="display:none')
    assert f">For &lt;Ada&gt;</div>{HIDDEN_FILLER}<p>x</p>" in mail.html
    assert rendered(preheader="Nobody sees it").html == ""


@pytest.mark.parametrize(
    "name",
    ["Ada\nBcc: eve@people.example", "Ada\r\nBcc: eve@people.example", "Ada\u2028Bcc", "Ada\x0bBcc", "Ada\x85Bcc"],
)
def test_a_subject_is_one_line_whatever_a_trait_holds(name: str) -> None:
    subject = rendered({"contact": {"first_name": name}}, subject="Hi {{ contact.first_name }}").subject
    assert subject.startswith("Hi Ada Bcc")
    assert len(subject.splitlines()) == 1


def test_a_subject_that_grew_past_a_header_line_is_not_sent() -> None:
    assert len(rendered({"contact": {"first_name": "a" * 998}}, subject="{{ contact.first_name }}").subject) == 998
    with pytest.raises(InvalidInput) as caught:
        rendered({"contact": {"first_name": "a" * 999}}, subject="{{ contact.first_name }}")
    assert caught.value.code == "template_failed"


# --- what is wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["subject", "text", "html"])
@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("{{ contact.first_name", "invalid_template"),
        ("{% if contact.plan %}", "invalid_template"),
        ("{% frobnicate %}", "invalid_template"),
        ("{% include 'other' %}", "invalid_template"),
        ("{% render 'other' %}", "invalid_template"),
        ("{{ user.name }}", "unknown_variable"),
        ("{{ first_name }}", "unknown_variable"),
        ("{% for one in things %}{% endfor %}", "unknown_variable"),
        ("{{ contact.first_name | frobnicate }}", "unknown_filter"),
    ],
)
def test_each_mistake_has_a_code_and_names_its_part(field: str, source: str, code: str) -> None:
    assert code_of(**{field: source}) == (code, field)


def test_a_mistake_in_the_preheader_is_found_too() -> None:
    assert code_of(html="x", preheader="{{ user.name }}")[0] == "unknown_variable"
    assert code_of(html="x", preheader="{% if contact.plan %}")[0] == "invalid_template"


def test_the_message_says_what_is_wrong_without_quoting_the_whole_source() -> None:
    with pytest.raises(InvalidInput) as caught:
        compile_template(content(text="private words\n" * 50 + "{{ user.name }}"))
    assert "user" in caught.value.message
    assert "private" not in caught.value.message


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"subject": ""}, "subject"),
        ({"subject": None}, "subject"),
        ({"subject": "x" * 999}, "subject"),
        ({"text": "", "html": ""}, "html"),
        ({"text": 7}, "text"),
        ({"text": "x" * (256 * 1024 + 1)}, "text"),
        ({"template": "Tips"}, "template"),
        ({"template": "tips\n"}, "template"),
        ({"template": ""}, "template"),
        ({"variables": []}, "variables"),
        ({"body": "x"}, "body"),
        ({"from": "x" * 321}, "from"),
    ],
)
def test_each_field_has_its_form(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        content(**fields)
    assert (caught.value.code, caught.value.field) == ("invalid_template", field)


def test_a_template_is_no_larger_than_what_a_table_can_hold() -> None:
    with pytest.raises(InvalidInput) as caught:
        content(text="x" * 200_000, html="x" * 200_000)
    assert caught.value.code == "template_too_large"
    with pytest.raises(InvalidInput):
        content(text="ż" * 200_000)
    content(text="x" * 200_000, html="x" * 150_000)


# --- what it cannot do -----------------------------------------------------------------------------------------------


class Secret:
    """Something with attributes that must not be seen."""

    password = "hunter2"

    def __str__(self) -> str:
        return "closed"


@pytest.mark.parametrize(
    "source",
    [
        "{{ contact.thing.password }}",
        "{{ contact.thing['password'] }}",
        "{{ contact.thing.__class__ }}",
        "{{ contact.__class__.__mro__ }}",
        "{{ contact.first_name.__class__ }}",
        "{{ contact.first_name.upper }}",
        "{{ contact.keys }}",
        "{{ contact.tags.append }}",
    ],
)
def test_a_template_reaches_data_and_nothing_of_python(source: str) -> None:
    data = {"contact": {"thing": Secret(), "first_name": "Ada", "tags": []}}
    assert rendered(data, text=f"[{source}]").text == "[]"


BIG = "{% assign b = contact.long %}" + "{% assign b = b | append: b %}" * 8
LIST = "{% assign l = contact.long | split: '' %}"
GROWN = LIST + "{% assign l = l | concat: l %}" * 3

HOSTILE = {
    "two loops in each other": "{% for a in (1..10000) %}{% for b in (1..10000) %}x{% endfor %}{% endfor %}",
    "a long loop": "{% for a in (1..100000000) %}x{% endfor %}",
    "a long loop backwards": "{% for a in (1..1000000000) reversed %}x{% endfor %}",
    "a long table": "{% tablerow a in (1..1000000000) %}x{% endtablerow %}",
    "a long range joined": "{{ (1..1000000000) | join: '' }}",
    "a long range cut": "{{ (1..1000000000) | slice: 0, 1000000000 }}",
    "a long range searched": "{% assign r = (1..1000000000) %}{% if r contains 'x' %}y{% endif %}",
    "a range of very large numbers": "{{ (1..contact.digits) | size }}",
    "a text that doubles": "{% assign s = 'xxxxxxxxxx' %}" + "{% assign s = s | append: s %}" * 40 + "{{ s }}",
    "a text that doubles in one expression": BIG + "{{ b " + "| append: b " * 300 + "}}",
    "much output": "{% for a in (1..9000) %}{{ contact.long }}{% endfor %}",
    "much captured": "{% capture c %}{% for a in (1..9000) %}{{ contact.long }}{% endfor %}{% endcapture %}",
    "everything replaced by much": BIG + "{{ b | replace: 'x', b }}",
    "much between all letters": BIG + "{{ b | replace: '', b }}",
    "a list of letters": BIG + "{{ b | split: '' | size }}",
    "a list joined by much": BIG + GROWN + "{{ l | join: b }}",
    "a list that doubles": LIST + "{% assign l = l | concat: l %}" * 20,
    "a list of one large text": BIG
    + "{% assign l = b | split: 'q' %}"
    + "{% assign l = l | concat: l %}" * 13
    + "{{ l }}",
    "a long list compared with itself": GROWN + "{{ l | uniq }}",
    "a number that squares itself": "{% assign n = 99999999 %}" + "{% assign n = n | times: n %}" * 40,
    "a text encoded again and again": BIG + "{{ b | base64_encode | base64_encode | base64_encode }}",
    "a text that grows by escaping": BIG + "{{ b | replace: 'x', '&' | escape }}",
    "long HTML stripped": BIG + "{{ b | replace: 'x', '<' | strip_html }}",
    "a long date": BIG + "{{ b | date: '%Y' }}",
    "a long form of a date": BIG + "{{ 'now' | date: b }}",
    "deep brackets": "{{ contact" + "[contact" * 400 + "]" * 400 + " }}",
    "division by nothing": "{{ contact.first_name | divided_by: 0 }}",
    "calculating with a text": "{{ contact.first_name | times: 'x' | divided_by: 0 }}",
    "a date of a list": "{{ 'x' | date: contact.tags }}{{ 1 | modulo: 0 }}",
}
# Each alone is short: only the time that they take together is long.
SLOW = {
    "loops": "{% for a in (1..9999) %}{% if contact.long contains 'y' %}{% endif %}{% endfor %}" * 2000,
    "filters": "{% for a in (1..9999) %}{% assign x = contact.long | upcase | downcase | size %}{% endfor %}" * 2000,
}
MANY = {"contact": {"first_name": 1, "long": "x" * 1000, "tags": ["a"], "digits": "9" * 4000}}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_template_ends_in_an_error_and_soon(source: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        rendered(MANY, text=source)
    assert caught.value.code == "template_failed"


@pytest.mark.parametrize("source", SLOW.values(), ids=SLOW)
def test_a_template_that_takes_long_is_stopped(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told = itertools.count()
    monkeypatch.setattr("tidings.messages.bounds.ticks", lambda: next(told) / 1000)
    monkeypatch.setattr("tidings.messages.render.ticks", lambda: 0.0)
    with pytest.raises(InvalidInput, match="over 2 seconds"):
        rendered(MANY, text=source)
    assert next(told) < 2010, "the clock is looked at with each turn, and nothing is done when time is up"


def test_all_parts_of_a_mail_share_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    told = itertools.count()
    monkeypatch.setattr("tidings.messages.bounds.ticks", lambda: next(told) / 1000)
    monkeypatch.setattr("tidings.messages.render.ticks", lambda: 0.0)
    loop = "{% for a in (1..1500) %}x{% endfor %}"
    assert rendered(text=loop).text
    with pytest.raises(InvalidInput, match="over 2 seconds"):
        rendered(text=loop, html=loop)


N = 100_000
UNPARSED = {
    "outputs that stay open": "{{" * N,
    "tags that stay open": "{%" * N,
    "raw that stays open": "{% raw %}" * (N // 4),
    "doc that stays open": "{% doc %}" * (N // 4),
    "comments that stay open": "{% comment %}" * (N // 6),
    "spaces in an output": "{{" + " " * N + "x",
    "spaces in every output": ("{{" + " " * 900 + "contact.x" + " " * 900 + "}}") * 100,
    "brackets that stay open": "{{ contact" + "[" * 3000 + " }}",
    "parentheses": ("{% if " + "(" * 3900 + " %}x{% endif %}") * 40,
    "a long expression": "{% if contact.a" + " and contact.a" * 15_000 + " %}{% endif %}",
    "deep blocks": "{% if contact.a %}" * 3000 + "{% endif %}" * 3000,
}


@pytest.mark.parametrize("source", UNPARSED.values(), ids=UNPARSED)
@pytest.mark.parametrize("field", ["text", "html"])
def test_a_text_on_which_the_parser_could_hang_is_refused_at_once(field: str, source: str) -> None:
    assert code_of(**{field: source}) == ("invalid_template", field)


@pytest.mark.parametrize("source", ["{{ now }}", "{{ today }}", "{{ ['now'] }}", "{% if now %}x{% endif %}"])
def test_liquids_own_clock_is_unknown(source: str) -> None:
    assert code_of(text=source)[0] == "unknown_variable"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{{ 'now' | date: '%Y-%m-%d %H:%M' }}", "2026-11-21 09:00"),
        ("{{ 'today' | date: '%d.%m.%Y' }}", "21.11.2026"),
        ("{{ '10:30' | date: '%Y-%m-%d %H:%M' }}", "2026-11-21 10:30"),
        ("{{ 'Friday' | date: '%Y-%m-%d' }}", "2026-11-27"),
        ("{{ '2027-02-03T04:05:06Z' | date: '%H %Y' }}", "04 2027"),
        ("{{ 'soon' | date: '%Y' }}", "soon"),
        ("{{ contact.nothing | date: '%Y' }}", ""),
        ("{{ 'now' | date: contact.form }}", "2026-11-21 09:00:00"),
        ("{{ 0 | date: '%Y' }}", "1970"),
    ],
)
def test_the_time_is_that_of_the_clock_passed_in(source: str, says: str) -> None:
    assert rendered(text=source).text == says


def test_a_filter_called_on_what_liquid_gives_itself_sees_data_only() -> None:
    source = (
        "{% for a in contact.tags %}{{ forloop.__class__ }}{{ forloop.it }}{% endfor %}{{ contact | map: '__class__' }}"
    )
    assert rendered(text=source).text == ""


@given(st.text(alphabet="{}%-|.'\"ab raw endraw if contact \n", max_size=80))
def test_any_text_is_refused_or_rendered(source: str) -> None:
    with contextlib.suppress(InvalidInput):
        rendered(text=source)


VALUES: list[Any] = [None, True, -1, 2.5, 10**30, "", "abc", "2026-11-21", [], [1, "a", None], [{"a": 1}, {"b": 2}],
                     {}, {"a": 1}]  # fmt: skip


@pytest.mark.parametrize("name", sorted(TEXT.filters))
def test_a_filter_given_a_value_of_another_kind_renders_or_fails_as_a_template(name: str) -> None:
    for arguments in ("", ": contact.other", ": 'a', contact.other"):
        try:
            compiled = compile_template(content(text=f"{{{{ contact.value | {name}{arguments} }}}}"))
        except InvalidInput:
            continue
        for value, other in itertools.product(VALUES, VALUES):
            with contextlib.suppress(InvalidInput):
                compiled.render(Filling({**ADA, "contact": {"value": value, "other": other}}, NOW))


def test_a_short_preheader_is_followed_by_what_has_no_width_so_that_inboxes_show_nothing_else() -> None:
    html = rendered(html="<!doctype html><html><body class=x><p>Body</p>", preheader="Soon").html
    assert html.startswith("<!doctype html><html><body class=x><div style=")
    hidden = html.partition("Soon")[2].partition("<p>")[0]
    assert len(unescape(re.sub("<[^>]*>", "", hidden))) >= 200
    assert not re.sub("[\u034f\u200c\u00a0]", "", unescape(re.sub("<[^>]*>", "", hidden)))


def test_html_that_opens_its_body_again_and_again_is_read_in_one_go() -> None:
    compile_template(content(html="<body " * 40_000, preheader="Soon"))
    assert rendered(html="<body hidden", preheader="Soon").html.endswith("</div><body hidden")


def test_deep_nesting_is_refused_when_the_template_is_applied() -> None:
    assert code_of(text="{% if contact.a %}" * 60 + "{% endif %}" * 60)[0] == "invalid_template"
    assert code_of(text="{% if contact.a %}" * 3000 + "{% endif %}" * 3000)[0] == "invalid_template"


# --- compiled once ---------------------------------------------------------------------------------------------------


def test_a_version_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = []
    monkeypatch.setattr(
        "tidings.messages.render.compile_template", lambda *given: compiled.append(given) or compile_template(*given)
    )
    renderer = Renderer(FixedClock(NOW))
    for version in (1, 1, 2, 1, 2):
        renderer.render(template(version, text=f"version {version}"), ADA)
    assert len(compiled) == 2


def test_workspaces_with_a_template_of_the_same_name_do_not_share_it() -> None:
    renderer = Renderer(FixedClock(NOW))
    other = Template("other", "tips", 1, content(text="theirs"), NOW)
    assert renderer.render(template(text="ours"), ADA).text == "ours"
    assert renderer.render(other, ADA).text == "theirs"


def test_only_so_many_compiled_templates_are_kept() -> None:
    renderer = Renderer(FixedClock(NOW))
    for version in range(COMPILED_TEMPLATES + 5):
        renderer.render(template(version), ADA)
    assert len(renderer._compiled) == COMPILED_TEMPLATES
