"""Templates in Liquid: compiled once per version, sandboxed and bounded.

Liquid has no way to reach Python: a variable is a value of the data given, never an attribute or a method. What bounds
a hostile template is below; passing a bound ends in an error, never in a mail.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from liquid import Environment
from liquid.exceptions import LiquidError
from liquid.template import BoundTemplate

from tidings.core.errors import InvalidInput
from tidings.messages.model import SUBJECT_CHARACTERS, Template, TemplateInput

OUTPUT_CHARACTERS = 512 * 1024
LOOP_ITERATIONS = 10_000
COMPILED_TEMPLATES = 256

_BODY = re.compile(r"<body\b", re.IGNORECASE)

# What rendering may raise: filters of Liquid let through what Python says to values of another kind than they expect.
_FAILS = (LiquidError, RecursionError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError)

# What a template may speak of. A trait or property that a person does not have renders as nothing.
ROOTS = frozenset({"contact", "event", "variables", "message", "unsubscribe_url"})


class _Bounded(Environment):
    output_stream_limit = OUTPUT_CHARACTERS
    loop_iteration_limit = LOOP_ITERATIONS
    local_namespace_limit = OUTPUT_CHARACTERS
    context_depth_limit = 20
    block_nesting_limit = 50


_TEXT = _Bounded()
_HTML = _Bounded(autoescape=True)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail as one person gets it."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Compiled:
    """A template's parts, parsed."""

    subject: BoundTemplate
    text: BoundTemplate
    html: BoundTemplate

    def render(self, data: Mapping[str, Any]) -> Rendered:
        """Fill the template. Raises InvalidInput (`template_failed`) where it fails or passes a bound."""
        try:
            subject = " ".join(self.subject.render(**data).split())
            if len(subject) > SUBJECT_CHARACTERS:
                raise ValueError(f"the subject is over {SUBJECT_CHARACTERS} characters")
            return Rendered(subject, self.text.render(**data), self.html.render(**data))
        except _FAILS as error:
            raise InvalidInput("template_failed", f"The template failed: {_first_line(error)}", "template") from error


class Renderer:
    """Keeps compiled templates; a version never changes, so they never go stale."""

    def __init__(self) -> None:
        self._compiled: OrderedDict[tuple[str, str, int], Compiled] = OrderedDict()

    def render(self, template: Template, data: Mapping[str, Any]) -> Rendered:
        """A template filled for one person. Raises InvalidInput."""
        given = data.get("variables") or {}
        return self._compile(template).render({**data, "variables": {**template.content.variables, **given}})

    def _compile(self, template: Template) -> Compiled:
        key = (template.workspace, template.name, template.version)
        known = self._compiled.get(key)
        if known is None:
            known = compile_template(template.content)
            self._compiled[key] = known
            if len(self._compiled) > COMPILED_TEMPLATES:
                self._compiled.popitem(last=False)
        return known


def compile_template(content: TemplateInput) -> Compiled:
    """Parse a template's parts and look for what it cannot know. Raises InvalidInput naming the part and the fault."""
    return Compiled(
        subject=_parse(_TEXT, content.subject, "subject"),
        text=_parse(_TEXT, content.text, "text"),
        html=_parse(_HTML, _with_preheader(content), "html"),
    )


def _with_preheader(content: TemplateInput) -> str:
    """The HTML with the line that inboxes show after the subject, invisible in the mail itself.

    It goes to the beginning of the body: before a doctype it would put readers into quirks mode.
    """
    if not content.html or not content.preheader:
        return content.html
    style = "display:none;max-height:0;overflow:hidden;mso-hide:all"
    hidden = f'<div style="{style}">{content.preheader}</div>'
    body = _BODY.search(content.html)
    start = content.html.find(">", body.end()) + 1 if body else 0
    return content.html[:start] + hidden + content.html[start:]


def _parse(environment: Environment, source: str, field: str) -> BoundTemplate:
    try:
        template = environment.from_string(source)
        analysis = template.analyze()
    except (LiquidError, RecursionError) as error:
        raise InvalidInput(
            "invalid_template", f"The {field} is not valid Liquid: {_first_line(error)}", field
        ) from error
    unknown = sorted(set(analysis.globals) - ROOTS)
    if unknown:
        known = ", ".join(sorted(ROOTS))
        raise InvalidInput("unknown_variable", f"{{{{ {unknown[0]} }}}} is unknown; there are {known}.", field)
    strange = sorted(set(analysis.filters) - set(environment.filters))
    if strange:
        raise InvalidInput("unknown_filter", f"There is no filter named {strange[0]}.", field)
    return template


def _first_line(error: Exception) -> str:
    # Liquid's errors go on to quote the source, which the caller has before them.
    return str(error).partition("\n")[0] or type(error).__name__
