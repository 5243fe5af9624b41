"""Templates in Liquid: compiled once per version, and rendered within the bounds of `bounds`."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from liquid.exceptions import LiquidError, TemplateNotFoundError
from liquid.template import BoundTemplate

from tidings.core.clock import Clock, ticks
from tidings.core.errors import InvalidInput
from tidings.messages.bounds import RENDER_SECONDS, Bounded, Context, bound_ranges
from tidings.messages.liquid import Unclosed, constructs
from tidings.messages.model import AS_WRITTEN, SUBJECT_CHARACTERS, Made, Template, TemplateInput

COMPILED_TEMPLATES = 256

# What inboxes show of a mail's body after a short preheader, unless something without a width stands between.
FILLER = "&#847;&zwnj;&nbsp;" * 100

_BODY = re.compile(r"<body\b", re.IGNORECASE)
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n")

# What rendering may raise: filters of Liquid let through what Python says to values of another kind than they expect.
_FAILS = (LiquidError, RecursionError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError)

# What a template may speak of. A trait or property that a person does not have renders as nothing.
ROOTS = frozenset({"contact", "event", "variables", "message", "unsubscribe_url", "confirm_url"})

TEXT = Bounded()
HTML = Bounded(autoescape=True)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail as one person gets it."""

    subject: str
    text: str
    html: str


class Filling:
    """One rendering: every part of it together has two seconds. `empty` are outputs that came out as nothing."""

    def __init__(self, data: Mapping[str, Any], now: datetime) -> None:
        self._data = data
        self._now = now
        self._deadline = ticks() + RENDER_SECONDS
        self.empty: dict[str, None] = {}

    def fill(self, template: BoundTemplate, empty: dict[str, None] | None = None) -> str:
        """A part, filled; what came out as nothing is added to `empty`, else to the rendering's own.

        Raises InvalidInput (`template_failed`) where it fails or passes a bound.
        """
        context = Context(template, globals=self._data)
        context.deadline, context.now = self._deadline, self._now
        context.empty = self.empty if empty is None else empty
        buffer = context.get_buffer()
        try:
            template.render_with_context(context, buffer)
        except _FAILS as error:
            raise _failed(first_line(error)) from error
        return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class Compiled:
    """A template's parts, parsed. `squeeze` is for text that was made of HTML: what is left out leaves lines empty."""

    subject: BoundTemplate
    text: BoundTemplate
    html: BoundTemplate
    squeeze: bool = False

    def render(self, filling: Filling) -> Rendered:
        """Fill the template. Raises InvalidInput (`template_failed`) where it fails or passes a bound."""
        subject = " ".join(filling.fill(self.subject).split())
        if len(subject) > SUBJECT_CHARACTERS:
            raise _failed(f"the subject is over {SUBJECT_CHARACTERS} characters")
        text = filling.fill(self.text)
        if self.squeeze:
            text = _BLANK_LINES.sub("\n\n", text).strip("\n") + "\n"
        return Rendered(subject, text, filling.fill(self.html))


class Renderer:
    """Keeps compiled templates; a version never changes, so they never go stale."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._compiled: OrderedDict[tuple[str, str, int], Compiled] = OrderedDict()

    def render(self, template: Template, data: Mapping[str, Any]) -> Rendered:
        """A template filled for one person. Raises InvalidInput."""
        return self.compiled(template).render(filling_of(template.content, data, self._clock.now()))

    def compiled(self, template: Template) -> Compiled:
        """A version of a template, parsed now or before. Raises InvalidInput.

        What has no version is a text for one message, as a call or a reply brings it: that is not kept.
        """
        if not template.version:
            return compile_template(template.content, template.made)
        key = (template.workspace, template.name, template.version)
        known = self._compiled.get(key)
        if known is None:
            known = compile_template(template.content, template.made)
            self._compiled[key] = known
            if len(self._compiled) > COMPILED_TEMPLATES:
                self._compiled.popitem(last=False)
        return known


def filling_of(content: TemplateInput, data: Mapping[str, Any], now: datetime) -> Filling:
    """A rendering of a template with somebody's data, over the defaults of the template's variables."""
    given = data.get("variables") or {}
    return Filling({**data, "variables": {**content.variables, **given}}, now)


def compile_template(content: TemplateInput, made: Made = AS_WRITTEN) -> Compiled:
    """Parse a template's parts and look for what it cannot know. Raises InvalidInput naming the part and the fault."""
    return Compiled(
        subject=parse(TEXT, content.subject, "subject"),
        text=parse(TEXT, content.text or made.text, "text"),
        html=parse(HTML, with_preheader(made.html or content.html, content.preheader), "html"),
        squeeze=not content.text,
    )


def with_preheader(html: str, preheader: str) -> str:
    """The HTML with the line that inboxes show after the subject, invisible in the mail itself.

    It goes to the beginning of the body: before a doctype it would put readers into quirks mode.
    """
    if not html or not preheader:
        return html
    style = "display:none;max-height:0;overflow:hidden;mso-hide:all"
    hidden = f'<div style="{style}">{preheader}</div><div style="{style}">{FILLER}</div>'
    body = _BODY.search(html)
    start = html.find(">", body.end()) + 1 if body else 0
    return html[:start] + hidden + html[start:]


def parse(environment: Bounded, source: str, field: str, roots: frozenset[str] = ROOTS) -> BoundTemplate:
    """A part of a template, parsed; `roots` are what it may speak of. Raises InvalidInput, naming part and fault."""
    try:
        for _ in constructs(source):
            pass
        template = environment.from_string(source)
        analysis = template.analyze()
        bound_ranges(template)
    except TemplateNotFoundError as error:
        reason = f"The {field} includes {first_line(error)}: there is nothing that a template could include."
        raise InvalidInput("invalid_template", reason, field) from error
    except (LiquidError, RecursionError, Unclosed) as error:
        raise InvalidInput(
            "invalid_template", f"The {field} is not valid Liquid: {first_line(error)}", field
        ) from error
    unknown = sorted(set(analysis.globals) - roots)
    if unknown:
        known = ", ".join(sorted(roots))
        raise InvalidInput("unknown_variable", f"{{{{ {unknown[0]} }}}} is unknown; there are {known}.", field)
    strange = sorted(set(analysis.filters) - set(environment.filters))
    if strange:
        raise InvalidInput("unknown_filter", f"There is no filter named {strange[0]}.", field)
    return template


def _failed(reason: str) -> InvalidInput:
    return InvalidInput("template_failed", f"The template failed: {reason}", "template")


def first_line(error: Exception) -> str:
    """What an error says, in one line: Liquid's errors go on to quote the source, which the caller has before them."""
    return str(error).partition("\n")[0] or type(error).__name__
