"""The table of what each operator means."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tidings.conditions.model import OPERATORS
from tidings.conditions.operators import Reason, judge

NAN = float("nan")

TABLE: list[tuple[str, Any, Any, bool, Reason]] = [
    ("is", "team", "team", True, Reason.COMPARED),
    ("is", "team", "Team", False, Reason.COMPARED),
    ("is", 5, 5.0, True, Reason.COMPARED),
    ("is", 5, "5", False, Reason.OTHER_KIND),
    ("is", 1, True, False, Reason.OTHER_KIND),
    ("is", True, True, True, Reason.COMPARED),
    ("is", ["a", 1], ["a", 1], True, Reason.COMPARED),
    ("is", ["a", 1], [1, "a"], False, Reason.COMPARED),
    ("is", "a", ["a"], False, Reason.OTHER_KIND),
    ("is", 5, NAN, False, Reason.OTHER_KIND),
    ("is", 5, Decimal(5), True, Reason.COMPARED),
    ("is_not", "team", "free", True, Reason.COMPARED),
    ("is_not", "team", "team", False, Reason.COMPARED),
    ("is_not", 5, "5", True, Reason.OTHER_KIND),
    ("is_not", 5, NAN, True, Reason.OTHER_KIND),
    ("in", ["team", 5], 5.0, True, Reason.COMPARED),
    ("in", ["team", 5], "5", False, Reason.COMPARED),
    ("in", [1], True, False, Reason.COMPARED),
    ("not_in", ["team"], "free", True, Reason.COMPARED),
    ("not_in", ["team"], "team", False, Reason.COMPARED),
    ("exists", True, "", True, Reason.COMPARED),
    ("exists", True, 0, True, Reason.COMPARED),
    ("exists", True, [], True, Reason.COMPARED),
    ("exists", False, "x", False, Reason.COMPARED),
    ("contains", "ea", "team", True, Reason.COMPARED),
    ("contains", "EA", "team", False, Reason.COMPARED),
    ("contains", "a", ["a", "b"], True, Reason.COMPARED),
    ("contains", "a", ["ab"], False, Reason.COMPARED),
    ("contains", 1, [True], False, Reason.COMPARED),
    ("contains", 1, [1.0], True, Reason.COMPARED),
    ("contains", 5, "15", False, Reason.TEXT_HOLDS_TEXT),
    ("contains", "a", 5, False, Reason.NOT_TEXT_OR_LIST),
    ("contains", "city", {"city": 1}, False, Reason.NOT_TEXT_OR_LIST),
    ("starts_with", "te", "team", True, Reason.COMPARED),
    ("starts_with", "Te", "team", False, Reason.COMPARED),
    ("starts_with", "5", 5, False, Reason.NOT_TEXT),
    ("ends_with", "am", "team", True, Reason.COMPARED),
    ("ends_with", "am", ["am"], False, Reason.NOT_TEXT),
    ("greater_than", 3, 3, False, Reason.COMPARED),
    ("greater_than", 3, 3.1, True, Reason.COMPARED),
    ("greater_than", 3, Decimal("3.1"), True, Reason.COMPARED),
    ("greater_than", 3, "4", False, Reason.NOT_A_NUMBER),
    ("greater_than", 0, True, False, Reason.NOT_A_NUMBER),
    ("greater_than", 3, NAN, False, Reason.NOT_A_NUMBER),
    ("greater_than", 3, float("inf"), True, Reason.COMPARED),
    ("greater_than", 3.5, 10**400, True, Reason.COMPARED),
    ("at_least", 3, 3, True, Reason.COMPARED),
    ("at_least", 3, 2, False, Reason.COMPARED),
    ("less_than", 3, 3, False, Reason.COMPARED),
    ("less_than", 3, -1, True, Reason.COMPARED),
    ("less_than", 3, Decimal("NaN"), False, Reason.NOT_A_NUMBER),
    ("at_most", 3, 3, True, Reason.COMPARED),
    ("at_most", 3, False, False, Reason.NOT_A_NUMBER),
    ("before", "2026-06-15", "2026-06-14", True, Reason.COMPARED),
    ("before", "2026-06-15", "2026-06-15", False, Reason.COMPARED),
    ("before", "2026-06-15", "2026-06-15T00:30:00+01:00", True, Reason.COMPARED),
    ("before", "2026-06-15", "soon", False, Reason.NOT_A_DATE),
    ("before", "2026-06-15", 0, False, Reason.NOT_A_DATE),
    ("after", "2026-06-15T12:00:00Z", "2026-06-15T12:00:01", True, Reason.COMPARED),
    ("after", "2026-06-15T12:00:00Z", "2026-06-15T12:00:00Z", False, Reason.COMPARED),
    ("after", "2026-06-15", ["2026-06-16"], False, Reason.NOT_A_DATE),
]


@pytest.mark.parametrize(("operator", "wanted", "found", "holds", "reason"), TABLE)
def test_the_operator_means_this(operator: str, wanted: Any, found: Any, holds: bool, reason: Reason) -> None:
    assert judge(operator, wanted, found) == (holds, reason)


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_missing_value_is_only_not_something_and_not_there(operator: str) -> None:
    wanted = {"exists": False, "in": ["x"], "not_in": ["x"]}.get(operator, "2026-01-01")
    holds = judge(operator, wanted, None).holds
    assert holds == (operator in {"is_not", "not_in", "exists"})
    assert not judge("exists", True, None).holds


def test_the_table_speaks_of_every_operator() -> None:
    assert {row[0] for row in TABLE} == set(OPERATORS)
