"""What a report says of rows: lines that add up, rates of what there is, and sheets that can be read back."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.core.errors import InvalidInput
from tidings.messages import sheets
from tidings.messages.reporting import (
    BY,
    MAIL_RATES,
    Period,
    ReportQuestion,
    lines,
    rates,
    read_period,
    read_report_question,
    whole,
)
from tidings.messages.reports import COUNTED, COUNTED_OF, PROBLEMS, Row, total

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
PERIOD = Period(date(2026, 11, 1), date(2026, 11, 30))

names = st.sampled_from(["", "a", "b"])
rows = st.lists(
    st.builds(
        Row,
        day=st.sampled_from(["2026-11-20", "2026-11-21"]),
        kind=st.sampled_from(["marketing", "transactional"]),
        source=st.sampled_from(["automation", "send", "api"]),
        name=names,
        component=names,
        template=st.sampled_from(["tips", "bye"]),
        version=st.integers(0, 12),
        counts=st.dictionaries(st.sampled_from(COUNTED), st.integers(0, 50)),
        reasons=st.dictionaries(st.tuples(st.sampled_from(PROBLEMS), names), st.integers(0, 5)),
    ),
    max_size=20,
)
groupings = st.lists(st.sampled_from(sorted(BY)), min_size=1, max_size=3, unique=True).map(tuple)


@given(rows, groupings)
def test_lines_add_up_to_all_rows_whatever_they_are_by(found: list[Row], by: tuple[str, ...]) -> None:
    made = lines(ReportQuestion("acme", PERIOD, {}, by), found)
    assert whole(made)["counts"] == {name: total(found)[name] for name in COUNTED_OF["email"]}
    assert len({line.place for line in made}) == len(made)
    assert [line.place for line in made] == sorted(line.place for line in made)
    errors = sum(number for row in found for number in row.reasons.values())
    assert sum(one["messages"] for one in whole(made)["errors"]) == errors


@given(rows, st.dictionaries(st.sampled_from(["template", "automation", "source", "kind"]), names, max_size=2))
def test_what_is_narrowed_down_is_part_of_the_whole(found: list[Row], only: dict[str, str]) -> None:
    some = whole(lines(ReportQuestion("acme", PERIOD, only), found))["counts"]
    assert all(number <= total(found)[name] for name, number in some.items())


@given(st.dictionaries(st.sampled_from(COUNTED), st.integers(0, 9)))
def test_a_rate_is_there_if_there_is_something_that_it_can_be_of(given_counts: dict[str, int]) -> None:
    counts = {**dict.fromkeys(COUNTED, 0), **given_counts}
    for name, rate in rates(counts).items():
        assert (rate is None) == (counts[MAIL_RATES[name][1]] == 0), name


def test_people_and_machines_are_told_apart() -> None:
    counts = {**dict.fromkeys(COUNTED, 0), "sent": 20, "delivered": 10, "opened": 4, "machine_opened": 5, "clicked": 1}
    found = rates(counts)
    assert (found["delivered"], found["opened"], found["machine_opened"]) == (0.5, 0.4, 0.5)
    assert (found["clicked"], found["clicked_of_opened"], found["machine_clicked"]) == (0.1, 0.25, 0.0)


def test_versions_stand_in_the_order_of_numbers() -> None:
    found = [Row("2026-11-21", "marketing", "api", "", "", "tips", version) for version in (10, 9, 2)]
    made = lines(ReportQuestion("acme", PERIOD, {}, ("version",)), found)
    assert [line.key["version"] for line in made] == [2, 9, 10]


def test_a_line_names_the_sources_that_sent_most_and_how_many_more_there_are() -> None:
    found = [Row("2026-11-21", "marketing", "send", f"s{n}", "", "tips", 1, {"sent": n}) for n in range(30)]
    (line,) = lines(ReportQuestion("acme", PERIOD), found)
    shown = line.as_dict()
    assert [one["name"] for one in shown["sources"][:2]] == ["s29", "s28"]
    assert (len(shown["sources"]), shown["more_sources"]) == (20, 10)


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ({}, "2026-10-23", "2026-11-21"),
        ({"to": "2026-11-01"}, "2026-10-03", "2026-11-01"),
        ({"from": "2026-11-20"}, "2026-11-20", "2026-11-21"),
        ({"from": "2026-11-21", "to": "2026-11-21"}, "2026-11-21", "2026-11-21"),
        ({"to": "0001-01-05"}, "0001-01-01", "0001-01-05"),
    ],
)
def test_days_are_the_last_thirty_unless_others_are_asked_for(query: dict[str, str], first: str, last: str) -> None:
    period = read_period(query, NOW)
    assert (period.first.isoformat(), period.last.isoformat()) == (first, last)


@pytest.mark.parametrize("query", [{"from": "2026-11-22"}, {"from": "20261101"}, {"from": "2026-08-21"}, {"to": "x"}])
def test_days_that_cannot_be_are_refused(query: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match="invalid_period"):
        read_period(query, NOW)


def test_what_a_report_is_by_may_have_several_parts() -> None:
    assert read_report_question("acme", {"by": "day, template,day"}, NOW).by == ("day", "template")
    with pytest.raises(InvalidInput, match="unknown_grouping"):
        read_report_question("acme", {"by": "day,"}, NOW)


# --- sheets ----------------------------------------------------------------------------------------------------------

texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))


@given(st.lists(st.tuples(texts, texts, st.integers(), st.none() | st.floats(0, 1)), max_size=5))
def test_a_sheet_reads_back_as_what_was_written(values: list[tuple[str, str, int, float | None]]) -> None:
    columns = ("one", "=two", "three", "four")
    text = sheets.sheet(columns, [dict(zip(columns, row, strict=True)) for row in values])
    header, *read = list(csv.reader(io.StringIO(text.encode().decode(), newline="")))
    assert header == list(columns)
    back = [(sheets.read_cell(a), sheets.read_cell(b), int(c), float(d) if d else None) for a, b, c, d in read]
    assert back == values


@given(st.sampled_from("=+-@\t\r"), texts)
def test_nothing_in_a_sheet_is_taken_for_a_formula(first: str, rest: str) -> None:
    text = sheets.sheet(("one",), [{"one": first + rest}], header=False)
    (row,) = csv.reader(io.StringIO(text, newline=""))
    assert row[0].startswith(f"'{first}")


def test_lines_of_a_sheet_end_as_rfc_4180_wants() -> None:
    assert sheets.sheet(("a", "b"), [{"a": 'x,"y"', "b": None}]) == 'a,b\r\n"x,""y""",\r\n'
