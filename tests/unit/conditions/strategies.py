"""Conditions and facts at random, from so few names and values that they often meet."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from tests.unit.conditions.facts import NOW, MadeUpFacts

from tidings.conditions.facts import ENGAGEMENTS, Occurrence

NAMES = st.sampled_from(["plan", "seats", "address.city", "tags", "born", "address"])
EVENTS = st.sampled_from(["Project Created", "Report Shared", "Paid"])
SCALARS = st.one_of(
    st.sampled_from(["team", "free", "5", "2026-06-01", "2026-06-15T12:00:00+02:00", ""]),
    st.integers(-2, 6),
    st.sampled_from([0.5, 5.0, 1e300]),
    st.booleans(),
)
DATES = st.sampled_from(["2026-06-01", "2026-06-15T10:00:00Z", "2027-01-01", "2026-06-15T12:00:00+02:00"])
NUMBERS = st.one_of(st.integers(-2, 6), st.sampled_from([0.5, 5.0]))
WORDS = st.sampled_from(["t", "team", "fr", "5"])
DURATIONS = st.sampled_from(["1 day", "2 weeks", "1 hour 30 minutes", "45 seconds"])

OPERATIONS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    *[
        st.fixed_dictionaries({operator: st.one_of(SCALARS, st.lists(SCALARS, max_size=3))})
        for operator in ("is", "is_not")
    ],
    *[st.fixed_dictionaries({operator: st.lists(SCALARS, min_size=1, max_size=3)}) for operator in ("in", "not_in")],
    st.fixed_dictionaries({"exists": st.booleans()}),
    st.fixed_dictionaries({"contains": SCALARS}),
    *[st.fixed_dictionaries({operator: WORDS}) for operator in ("starts_with", "ends_with")],
    *[st.fixed_dictionaries({op: NUMBERS}) for op in ("greater_than", "at_least", "less_than", "at_most")],
    *[st.fixed_dictionaries({operator: DATES}) for operator in ("before", "after")],
)


def comparisons(*subjects: str, names: st.SearchStrategy[str] = NAMES) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda subject, name, operation: {subject: name, **operation}, st.sampled_from(subjects), names, OPERATIONS
    )


COMPONENTS = st.sampled_from(["tips", "hello", "ask"])
PATHS = st.builds(
    "{}.{}".format, COMPONENTS, st.sampled_from(["status", "body", "body.plan", "body.address.city", "body.tags"])
)
KINDS = st.sampled_from(ENGAGEMENTS)
ENGAGED = st.fixed_dictionaries(
    {"engaged": COMPONENTS}, optional={"by": KINDS | st.lists(KINDS, min_size=1, unique=True)}
)


KNOWN = st.fixed_dictionaries({"known": st.booleans()})


def groups(rules: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda kind, parts: {kind: parts},
        st.sampled_from(["all", "any", "none"]),
        st.lists(rules, min_size=1, max_size=3),
    )


def counts(steps: st.SearchStrategy[str] | None = None) -> st.SearchStrategy[dict[str, Any]]:
    since: list[st.SearchStrategy[Any]] = [st.just("enrolment")]
    if steps is not None:
        since.append(st.fixed_dictionaries({"step": steps}))
    optional = {
        "since": st.one_of(*since),
        "within": DURATIONS,
        "where": st.recursive(comparisons("property"), groups, max_leaves=3),
    }
    return st.one_of(
        st.fixed_dictionaries({"did": EVENTS}, optional={**optional, "at_least": st.integers(1, 3)}),
        st.fixed_dictionaries({"did_not": EVENTS}, optional=optional),
    )


STEPS = st.sampled_from(["pause", "tips"])


def conditions(steps: st.SearchStrategy[str] | None = STEPS) -> st.SearchStrategy[dict[str, Any]]:
    """Conditions as plain data."""
    compared = comparisons("trait", "property") | comparisons("answer", names=PATHS)
    return st.recursive(st.one_of(compared, counts(steps), ENGAGED, KNOWN), groups, max_leaves=6)


def nested(depth: int) -> Any:
    value: Any = "leaf"
    for level in range(depth):
        value = [value] if level % 2 else {"city": value}
    return value


# What stores, servers and people come up with: no number, hardly a number, no text, far too much.
ODD: list[Any] = [
    *(float("nan"), float("inf"), -float("inf"), -0.0, 1e308, 5e-324, 10**400, -(10**400), 10**5000),
    *(Decimal(5), Decimal("0.5"), Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity")),
    *("z" * 5000, "\x00" * 200, "🦊" * 200, "\ud800", 'a"b' * 90, "2026-06-01" * 9, "0001-01-01T00:00:00+23:59"),
    *([], {}, (), ("team", 5), [float("nan")], [None], [["team"]], list(range(500)), nested(40), nested(3000)),
    *({"city": Decimal(5)}, {"city": {"city": "team"}}, {"city": None}, {str(n): n for n in range(100)}),
    *({5: "five"}, {("a",): 1}, date(2026, 6, 1), NOW, NOW.replace(tzinfo=None), {"team"}, b"team"),
]
ODD_VALUES = st.sampled_from(ODD)
ANY_VALUE = st.one_of(
    SCALARS,
    st.none(),
    ODD_VALUES,
    st.lists(SCALARS, max_size=3),
    st.fixed_dictionaries({"city": SCALARS}),
)
VALUES = st.dictionaries(st.sampled_from(["plan", "seats", "address", "address.city", "tags", "born"]), ANY_VALUE)
INSTANTS = st.integers(-30 * 24, 0).map(lambda hours: NOW + timedelta(hours=hours))
BODIES = ANY_VALUE | VALUES
FACTS = st.builds(
    MadeUpFacts,
    traits=VALUES,
    properties=VALUES,
    instants=st.dictionaries(st.sampled_from(["enrolment", "step:pause", "step:tips"]), INSTANTS),
    events=st.dictionaries(EVENTS, st.lists(st.builds(Occurrence, INSTANTS, VALUES), max_size=4)),
    answers=st.dictionaries(COMPONENTS, st.fixed_dictionaries({}, optional={"status": ANY_VALUE, "body": BODIES})),
    engaged=st.dictionaries(COMPONENTS, st.dictionaries(KINDS, INSTANTS)),
    is_known=st.booleans(),
)
