"""Conditions and facts at random, from so few names and values that they often meet."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from tests.unit.conditions.facts import NOW, MadeUpFacts

from tidings.conditions.model import Occurrence

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


def comparisons(*subjects: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda subject, name, operation: {subject: name, **operation}, st.sampled_from(subjects), NAMES, OPERATIONS
    )


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
    return st.recursive(st.one_of(comparisons("trait", "property"), counts(steps)), groups, max_leaves=6)


ANY_VALUE = st.one_of(
    SCALARS,
    st.none(),
    st.just(float("nan")),
    st.just(float("inf")),
    st.lists(SCALARS, max_size=3),
    st.fixed_dictionaries({"city": SCALARS}),
)
VALUES = st.dictionaries(st.sampled_from(["plan", "seats", "address", "address.city", "tags", "born"]), ANY_VALUE)
INSTANTS = st.integers(-30 * 24, 0).map(lambda hours: NOW + timedelta(hours=hours))
FACTS = st.builds(
    MadeUpFacts,
    traits=VALUES,
    properties=VALUES,
    instants=st.dictionaries(st.sampled_from(["enrolment", "step:pause", "step:tips"]), INSTANTS),
    events=st.dictionaries(EVENTS, st.lists(st.builds(Occurrence, INSTANTS, VALUES), max_size=4)),
)
