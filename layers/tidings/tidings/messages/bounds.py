"""Liquid within bounds: of time, of output, and of what one expression may hold in memory.

Liquid has no way to reach Python: a variable is a value of the data given, never an attribute or a method, and nothing
is included from files. What passes a bound raises TooMuch, or an error of Liquid's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from functools import wraps
from io import StringIO
from typing import Any, TextIO

from dateutil import parser
from liquid import Environment
from liquid.ast import Node
from liquid.builtin.expressions import Path
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.filters.misc import date as date_filter
from liquid.builtin.output import Output, OutputNode
from liquid.context import RenderContext
from liquid.exceptions import LiquidError
from liquid.expression import Expression
from liquid.filter import with_context
from liquid.stringify import to_liquid_string
from liquid.template import BoundTemplate
from liquid.undefined import UNDEFINED
from liquid.utils import ReadOnlyChainMap

from tidings.core.clock import ticks

RENDER_SECONDS = 2.0
OUTPUT_CHARACTERS = 512 * 1024
LOOP_ITERATIONS = 10_000
ITEMS = 10_000  # of a list that a filter is given or makes
COMPARED = 1_000  # items that are each compared with each other
RANGE = 100_000  # the ends of (1..n)
INTEGER_BITS = 4096
STRIPPED_CHARACTERS = 16 * 1024  # of HTML that strip_html reads: hostile tags cost it the square of their length
DATE_CHARACTERS = 200


class TooMuch(LiquidError):
    """A template asks for more than is allowed."""

    def __init__(self, what: str) -> None:
        super().__init__(what, token=None)


class Written(StringIO):
    """What a rendering has written so far; raises TooMuch beyond so many characters. A list is faster than a file."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.left = limit
        self._parts: list[str] = []

    def write(self, text: str, /) -> int:
        """Add a text. Raises TooMuch."""
        self.left -= len(text)
        if self.left < 0:
            raise TooMuch(f"a part of the mail is over {OUTPUT_CHARACTERS} characters")
        self._parts.append(text)
        return len(text)

    def getvalue(self) -> str:
        """All that was written."""
        return "".join(self._parts)


class Context(RenderContext):
    """What one rendering knows: the data, until when it must be done, and which instant it is."""

    __slots__ = ("deadline", "empty", "now")

    def __init__(self, template: BoundTemplate, **rest: Any) -> None:
        super().__init__(template, **rest)
        # Without what Liquid offers by itself: `now` and `today` by the system's clock.
        self.scope = ReadOnlyChainMap(self.locals, self.globals, self.counters)
        self.deadline = float("inf")
        self.now = datetime.min.replace(tzinfo=UTC)
        self.empty: dict[str, None] = {}

    def hurry(self) -> None:
        """Raise TooMuch when time is up."""
        if ticks() > self.deadline:
            raise TooMuch(f"rendering took over {RENDER_SECONDS:g} seconds")

    def get_buffer(self, buf: TextIO | None = None) -> StringIO:
        """Where to write, or where to write in between: what stands in `buf` counts too."""
        return Written(buf.left if isinstance(buf, Written) else OUTPUT_CHARACTERS)

    def get(self, path: list[object], *, token: Any, default: object = UNDEFINED) -> object:
        """What a path leads to. The usual one, through objects that have each name, is gone along here."""
        try:
            value: Any = self.scope[path[0]]  # type: ignore[index]
        except (KeyError, TypeError):
            return super().get(path, token=token, default=default)
        for name in path[1:]:
            if type(value) is not dict or type(name) is not str or name not in value:
                return super().get(path, token=token, default=default)
            value = value[name]
        return value

    def assign(self, key: str, val: Any) -> None:
        """Set a variable of the template's own."""
        self.hurry()
        super().assign(key, val)

    def filter(self, name: str, token: Any) -> Callable[..., object]:
        """A filter that looks at the clock first."""
        self.hurry()
        return super().filter(name, token)

    def loop(self, namespace: Mapping[str, object], forloop: Any) -> Any:
        """A loop that looks at the clock at each turn."""
        forloop.it = self._hurried(forloop.it)
        return super().loop(namespace, forloop)

    def _hurried(self, items: Iterator[Any]) -> Iterator[Any]:
        for item in items:
            self.hurry()
            yield item


class _Output(OutputNode):
    """An output that notes what was empty."""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        text = to_liquid_string(self.expression.evaluate(context), context.autoescape)
        if not text and isinstance(context, Context):
            left = getattr(self.expression, "left", None)
            if isinstance(left, Path):
                context.empty[str(left)] = None
        return buffer.write(text)


class _OutputTag(Output):
    node_class = _Output


class Bounded(Environment):
    """Liquid with every filter within bounds."""

    loop_iteration_limit = LOOP_ITERATIONS
    local_namespace_limit = OUTPUT_CHARACTERS
    context_depth_limit = 20
    block_nesting_limit = 50

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """Liquid's own tags and filters, each within bounds."""
        super().setup_tags_and_filters(extra=extra)
        self.add_tag(_OutputTag)
        self.add_filter("date", _date)
        for name, function in list(self.filters.items()):
            self.filters[name] = _bounded(name, function)


def _bounded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    foresee = _FORESEEN.get(name)

    @wraps(function)
    def filtered(left: object, *args: Any, **kwargs: Any) -> Any:
        for value in (left, *args):
            _require_small(value)
        if foresee:
            foresee(left, *args)
        result = function(left, *args, **kwargs)
        _require_small(result)
        return result

    return filtered


def _require_small(value: object) -> None:
    if isinstance(value, str):
        if len(value) > OUTPUT_CHARACTERS:
            raise TooMuch(f"a text is over {OUTPUT_CHARACTERS} characters")
    elif isinstance(value, bool):
        return
    elif isinstance(value, int):
        if value.bit_length() > INTEGER_BITS:
            raise TooMuch(f"a number has over {INTEGER_BITS} bits")
    elif isinstance(value, (list, tuple, range)):
        if len(value) > ITEMS:
            raise TooMuch(f"a list has over {ITEMS} items")
        if not isinstance(value, range):
            _require_light(value)


def _require_light(items: list[Any] | tuple[Any, ...]) -> None:
    """That a list may be written out: one text may stand in it ten thousand times and take no room but then."""
    left = OUTPUT_CHARACTERS
    waiting: list[Any] = [items]
    while waiting:
        value = waiting.pop()
        if isinstance(value, (list, tuple)):
            left -= len(value)
            waiting += value
        elif isinstance(value, dict):
            left -= len(value)
            waiting += value.values()
        else:
            left -= len(value) if isinstance(value, str) else 1
        if left < 0:
            raise TooMuch(f"a list holds over {OUTPUT_CHARACTERS} characters")


def _foresee_replace(left: object, old: object = "", new: object = "", *_: Any) -> None:
    text, old, new = str(left), str(old), str(new)
    if len(text) + text.count(old) * max(len(new) - len(old), 0) > OUTPUT_CHARACTERS:
        raise TooMuch(f"a text would have over {OUTPUT_CHARACTERS} characters")


def _foresee_join(left: object, separator: object = " ", *_: Any) -> None:
    if isinstance(left, (list, tuple, range)) and len(left) * len(str(separator)) > OUTPUT_CHARACTERS:
        raise TooMuch(f"a text would have over {OUTPUT_CHARACTERS} characters")


def _foresee_uniq(left: object, *_: Any) -> None:
    if isinstance(left, (list, tuple)) and len(left) > COMPARED:
        raise TooMuch(f"a list of over {COMPARED} items is compared item by item")


def _foresee_strip_html(left: object, *_: Any) -> None:
    if len(str(left)) > STRIPPED_CHARACTERS:
        raise TooMuch(f"over {STRIPPED_CHARACTERS} characters of HTML are stripped")


def _foresee_date(*values: object) -> None:
    if any(isinstance(value, str) and len(value) > DATE_CHARACTERS for value in values):
        raise TooMuch(f"a date or its form is over {DATE_CHARACTERS} characters")


def _foresee_split(left: object, separator: object = "", *_: Any) -> None:
    text = str(left)
    if text.count(str(separator) or "\0") > ITEMS or (not separator and len(text) > ITEMS):
        raise TooMuch(f"a list would have over {ITEMS} items")


# What must be known before: the result would not fit, or take too long.
_FORESEEN: Mapping[str, Callable[..., None]] = {
    "replace": _foresee_replace,
    "join": _foresee_join,
    "uniq": _foresee_uniq,
    "strip_html": _foresee_strip_html,
    "date": _foresee_date,
    "split": _foresee_split,
}


@with_context
def _date(given: Any, form: Any = "", *, context: Context) -> Any:
    """Liquid's `date`, by the instant of this rendering: for `now`, and for what a text leaves open."""
    now = context.now.replace(tzinfo=None)
    if given in ("now", "today"):
        given = now
    elif isinstance(given, date) and not isinstance(given, datetime):
        given = datetime.combine(given, time.min)
    elif isinstance(given, str) and not given.isdigit():
        try:
            given = parser.parse(given, default=now.replace(hour=0, minute=0, second=0, microsecond=0))
        except (parser.ParserError, OverflowError):
            return given  # as it is, like Liquid's own
    return date_filter(given, form, environment=context.env)


def bound_ranges(template: BoundTemplate) -> None:
    """Let no range of a parsed template be longer than what may be gone through."""
    for expression in expressions(template):
        if isinstance(expression, RangeLiteral):
            expression.start, expression.stop = _End(expression.start), _End(expression.stop)


class _End(Expression):
    """One end of a range."""

    __slots__ = ("of",)

    def __init__(self, of: Expression) -> None:
        super().__init__(of.token)
        self.of = of

    def __str__(self) -> str:
        return str(self.of)

    def evaluate(self, context: RenderContext) -> object:
        """The end. Raises TooMuch."""
        value = self.of.evaluate(context)
        if isinstance(value, str) and len(value) > 20:
            raise TooMuch("the end of a range is no number")
        try:
            number = int(value)  # type: ignore[call-overload]
        except (ValueError, TypeError, OverflowError):
            return value
        if abs(number) > RANGE:
            raise TooMuch(f"a range ends beyond {RANGE}")
        return value

    def children(self) -> list[Expression]:
        """What it consists of."""
        return [self.of]


def expressions(template: BoundTemplate) -> Iterator[Expression]:
    """Every expression of a parsed template, those within others too."""
    context = RenderContext(template)
    nodes: list[Node] = list(template.nodes)
    while nodes:
        node = nodes.pop()
        nodes += node.children(context)
        waiting = list(node.expressions())
        while waiting:
            expression = waiting.pop()
            yield expression
            waiting += expression.children()
