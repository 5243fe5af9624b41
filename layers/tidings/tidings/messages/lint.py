"""What is wrong with a template, and what may be: found without sending anything or asking anybody.

An error is what keeps a template from being applied. A warning is what its writer should know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from html.parser import HTMLParser
from typing import Any

from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.expressions.logical import BooleanExpression
from liquid.exceptions import LiquidError
from liquid.expression import Expression
from liquid.template import BoundTemplate
from pydantic import ValidationError

from tidings.consent.model import Channel, Kind
from tidings.core.errors import InvalidInput
from tidings.messages.addresses import LINKED, SHOWN, fault_of
from tidings.messages.bounds import Bounded, expressions
from tidings.messages.inlining import NotInlined, inlined
from tidings.messages.liquid import Masked, constructs
from tidings.messages.model import AS_WRITTEN, TEMPLATE_BYTES, Made, TemplateInput
from tidings.messages.parts import CEILINGS, GSM, foreign, kept_gsm, measure
from tidings.messages.plaintext import says_nothing, text_of
from tidings.messages.render import HTML, TEXT, Filling, filling_of, parse

SUBJECT_SHOWN = 50  # characters of a subject that most inboxes show
ADDRESS_SHOWN = 80
SIGNS_SHOWN = 10
FINDINGS = 100

# Where a mail that goes to nobody says one could unsubscribe: a host that belongs to no one (RFC 2606).
HARMLESS_LINK = "https://unsubscribe.example/preview"
# What a mail that goes to nobody speaks of, beside its person.
HARMLESS = {"message": {"id": "preview"}, "unsubscribe_url": HARMLESS_LINK, "confirm_url": HARMLESS_LINK}

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `severity` is error or warning, `field` the template's field where it is."""

    code: str
    severity: str
    field: str
    message: str

    def as_dict(self) -> dict[str, str]:
        """The finding as the API shows it."""
        return {"code": self.code, "severity": self.severity, "field": self.field, "message": self.message}


@dataclass(frozen=True, slots=True)
class Examined:
    """A template that was looked at: what was found and, where it has no error, its content and what is made of it."""

    findings: tuple[Finding, ...]
    content: TemplateInput | None = None
    made: Made = AS_WRITTEN

    @property
    def errors(self) -> list[Finding]:
        """What keeps it from being applied."""
        return [one for one in self.findings if one.severity == ERROR]

    @property
    def warnings(self) -> list[Finding]:
        """What its writer should know."""
        return [one for one in self.findings if one.severity == WARNING]


def examine(body: Mapping[str, Any], now: datetime, data: Mapping[str, Any] | None = None) -> Examined:
    """Everything that is wrong with a template, at most 100 findings. `data` are `contact`, `event` and `variables` of
    somebody to try it with: what comes out as nothing for them is named."""
    try:
        content = TemplateInput.model_validate(body)
    except ValidationError as error:
        return Examined(tuple(_form(one) for one in error.errors(include_url=False, include_context=False)[:FINDINGS]))
    parts, findings = _parsed(content)
    if not content.text and not content.html:
        findings.append(Finding("invalid_template", ERROR, "html", "A template needs text or html."))
    if len(content.model_dump_json(by_alias=True).encode()) > TEMPLATE_BYTES:
        message = f"A template is at most {TEMPLATE_BYTES} bytes of JSON."
        findings.append(Finding("template_too_large", ERROR, "", message))
    if findings:
        return Examined(tuple(findings))
    made, findings = make(content)
    probe = filling_of(content, {**HARMLESS, **(data or {})}, now)
    findings += [*_subject(content), *_length(content), *_variables(content, parts), *_unsubscribing(content, parts)]
    findings += _links(content, probe)
    if data is not None:
        findings += _tried(content, made, parts, data, now)
    findings = list(dict.fromkeys(findings))
    findings.sort(key=lambda one: one.severity != ERROR)
    return Examined(tuple(findings[:FINDINGS]), content, made)


def make(content: TemplateInput) -> tuple[Made, list[Finding]]:
    """What is rendered of a valid template instead of what was written, and why something was left as it is."""
    html = content.html
    findings: list[Finding] = []
    try:
        html = inlined(content.html)
        parse(HTML, html, "html")
    except (NotInlined, InvalidInput) as error:
        html = content.html
        reason = error.message if isinstance(error, InvalidInput) else str(error)
        message = f"Styles stay in the style sheet, which some mail programs do not read: {reason}."
        findings.append(Finding("not_inlined", WARNING, "html", message))
    text = ""
    if content.html and not content.text:
        text = text_of(content.html)
        try:
            parse(TEXT, text, "text")
        except InvalidInput:
            text = ""
        if says_nothing(text):
            message = "No plain text could be made of the HTML; write text for those who see no HTML."
            findings.append(Finding("no_text", WARNING, "html", message))
    return Made(text, "" if html == content.html else html), findings


def _form(error: Any) -> Finding:
    field = ".".join(str(part) for part in error["loc"])
    return Finding("invalid_template", ERROR, field, f"{field}: {error['msg']}.")


def _parsed(content: TemplateInput) -> tuple[dict[str, BoundTemplate], list[Finding]]:
    parts: dict[str, BoundTemplate] = {}
    findings = []
    kinds: dict[str, Bounded] = {"subject": TEXT, "preheader": HTML, "text": TEXT, "html": HTML}
    for field, environment in kinds.items():
        try:
            parts[field] = parse(environment, getattr(content, field), field)
        except InvalidInput as error:
            findings.append(Finding(error.code, ERROR, field, error.message))
    return parts, findings


def _subject(content: TemplateInput) -> Iterator[Finding]:
    written = len(content.subject) - sum(one.end - one.start for one in constructs(content.subject))
    if written > SUBJECT_SHOWN:
        message = f"The subject has over {SUBJECT_SHOWN} characters; many inboxes cut it there."
        yield Finding("long_subject", WARNING, "subject", message)


def _length(content: TemplateInput) -> Iterator[Finding]:
    """What makes a text cost more parts: characters that GSM lacks, beside those that `gsm7` replaces."""
    if content.channel is not Channel.SMS:
        return
    written = _without(content.text)
    shown = kept_gsm(written) if content.gsm7 else written
    signs = list(dict.fromkeys(sign.character for sign in foreign(shown)))
    if signs:
        named = " ".join(signs[:SIGNS_SHOWN]) + (" …" if len(signs) > SIGNS_SHOWN else "")
        cured = " Set gsm7 to replace them." if measure(kept_gsm(shown)).encoding == GSM else ""
        message = f"GSM lacks {named}: a part has 70 characters instead of 160.{cured}"
        yield Finding("unicode_text", WARNING, "text", message)
    length = measure(shown)
    if length.is_too_long:
        most = CEILINGS[length.encoding]
        message = f"Without its variables it has {length.units} units already; a text has at most {most}."
        yield Finding("long_text", WARNING, "text", message)
    elif length.parts > 1:
        yield Finding("several_parts", WARNING, "text", f"Without its variables it has {length.parts} parts already.")


def _without(text: str) -> str:
    """A text without what Liquid puts there."""
    places = [(one.start, one.end) for one in constructs(text)]
    return "".join(
        text[end:start] for (_, end), (start, _) in zip([(0, 0), *places], [*places, (len(text), 0)], strict=True)
    )


def _unsubscribing(content: TemplateInput, parts: Mapping[str, BoundTemplate]) -> Iterator[Finding]:
    # A text's sender may receive STOP, and where it does not, the text gets a link.
    if content.kind is Kind.TRANSACTIONAL or content.channel is Channel.SMS:
        return
    if not any("unsubscribe_url" in parts[field].analyze().globals for field in ("text", "html")):
        message = "There is no {{ unsubscribe_url }}: marketing mails get a plain line with the link at their end."
        yield Finding("no_unsubscribe_link", WARNING, "html" if content.html else "text", message)


def _variables(content: TemplateInput, parts: Mapping[str, BoundTemplate]) -> Iterator[Finding]:
    for field, template in parts.items():
        guarded: set[str] = set()
        used: dict[str, None] = {}
        for expression in expressions(template):
            if isinstance(expression, BooleanExpression) or _has_default(expression):
                guarded |= set(_own_variables(expression))
            used |= dict.fromkeys(_own_variables(expression))
        for name in sorted(set(used) - guarded - set(content.variables)):
            message = f"variables.{name} has no default: where an order does not give it, it comes out as nothing."
            yield Finding("missing_variable", WARNING, field, message)


def _has_default(expression: Expression) -> bool:
    return isinstance(expression, FilteredExpression) and any(one.name == "default" for one in expression.filters or ())


def _own_variables(expression: Expression) -> Iterator[str]:
    waiting = [expression]
    while waiting:
        one = waiting.pop()
        waiting += one.children()
        if isinstance(one, Path) and one.path[0] == "variables" and len(one.path) > 1 and isinstance(one.path[1], str):
            yield one.path[1]


def _tried(
    content: TemplateInput, made: Made, parts: Mapping[str, BoundTemplate], data: Mapping[str, Any], now: datetime
) -> Iterator[Finding]:
    text = parse(TEXT, made.text, "text") if made.text else parts["text"]
    whole = {**HARMLESS, **data}
    for field, template in {**parts, "text": text}.items():
        filling = filling_of(content, whole, now)
        try:
            filled = filling.fill(template)
        except InvalidInput as error:
            yield Finding(error.code, ERROR, field, error.message)
            continue
        for name in filling.empty:
            if made.text and field == "text":
                continue  # it says what the HTML says
            yield Finding("empty_variable", WARNING, field, f"{name} comes out as nothing for this person.")
        if field == "subject" and len(" ".join(filled.split())) > SUBJECT_SHOWN:
            message = f"The subject has over {SUBJECT_SHOWN} characters; many inboxes cut it there."
            yield Finding("long_subject", WARNING, "subject", message)


def _links(content: TemplateInput, probe: Filling) -> Iterator[Finding]:
    reader = _Reader(Masked(content.html))
    try:
        reader.feed(reader.masked.text)
    except (AssertionError, ValueError):  # what html.parser raises for some declarations that are none
        return
    if reader.speechless:
        message = f"Images without alt, of which some readers learn nothing: {reader.speechless}."
        yield Finding("missing_alt", WARNING, "html", message)
    for tag, attribute, value in reader.found:
        yield from _link(reader.masked, tag, attribute, value, probe)


def _link(masked: Masked, tag: str, attribute: str, value: str, probe: Filling) -> Iterator[Finding]:
    written = masked.restored(value)
    shown = written if len(written) <= ADDRESS_SHOWN else f"{written[: ADDRESS_SHOWN - 1]}…"
    where = f"{attribute} of {tag} ({shown})"
    try:
        address, whole = _address(masked, value, written, probe)
    except LiquidError:
        yield Finding("broken_link", ERROR, "html", f"{where}: Liquid begins in it and ends outside.")
        return
    fault = fault_of(address, SHOWN if tag == "img" else LINKED, whole)
    if fault is not None and fault.private:
        yield Finding("private_link", WARNING, "html", f"{where}: {fault.reason}.")
    elif fault is not None:
        yield Finding("broken_link", ERROR, "html", f"{where}: {fault.reason}.")


def _address(masked: Masked, value: str, written: str, probe: Filling) -> tuple[str, bool]:
    """An address as far as it is known before there is a person, and whether that is all of it. Raises LiquidError."""
    numbers = masked.within(value)
    if not numbers:
        return value, True
    template = HTML.from_string(written)
    known = value[: value.index(masked.token(numbers[0]))]
    if any(masked.names[number] for number in numbers):
        return known, False
    empty: dict[str, None] = {}
    try:
        filled = unescape(probe.fill(template, empty))
    except InvalidInput:
        return known, False
    return (known, False) if empty else (filled, True)


class _Reader(HTMLParser):
    """Reads what a mail links to and shows: tag, attribute and value; and counts the images that no words stand for."""

    def __init__(self, masked: Masked) -> None:
        super().__init__(convert_charrefs=True)
        self.masked = masked
        self.found: list[tuple[str, str, str]] = []
        self.speechless = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in reversed(attrs)}
        if tag in ("a", "area") and "href" in given:
            self.found.append((tag, "href", given["href"]))
        if tag == "img":
            self.found += [(tag, "src", given["src"])] if "src" in given else []
            self.speechless += "alt" not in given
