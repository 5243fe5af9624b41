"""Rows as comma-separated values for spreadsheets (RFC 4180, UTF-8, with a header row).

A text that a spreadsheet would take for a formula stands behind an apostrophe, and so does one that begins with an
apostrophe: so what was meant can be told again. https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tidings.consent.model import Channel
from tidings.core.errors import InvalidInput
from tidings.core.http import Answer, Request
from tidings.messages.reporting import RATES_OF, Period
from tidings.messages.reports import COUNTED_OF

_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "'")

MESSAGE_COLUMNS = (
    *("message", "contact", "address", "state", "kind", "topic", "template", "template_version"),
    *("automation", "component", "send", "decided_by", "error", "reason", "decided_at", "last_tried_at", "updated_at"),
)

TEXT_COLUMNS = (*MESSAGE_COLUMNS, "country", "sender", "parts", "price", "fee", "carrier")
COLUMNS_OF = {Channel.EMAIL.value: MESSAGE_COLUMNS, Channel.SMS.value: TEXT_COLUMNS}


def sheet(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], header: bool = True) -> str:
    """Rows as text, a value each in the columns named; nothing stands for None."""
    out = io.StringIO()
    writer = csv.writer(out)
    if header:
        writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    return out.getvalue()


def read_cell(cell: str) -> str:
    """The text that a cell was written for."""
    return cell[1:] if cell.startswith("'") else cell


def report_columns(parts: Sequence[str], channel: str = Channel.EMAIL.value) -> tuple[str, ...]:
    """The columns of a report by these parts: counts by their names, rates with `_rate` behind."""
    return (*parts, *COUNTED_OF[channel], *(f"{name}_rate" for name in RATES_OF[channel]))


def report_row(line: Mapping[str, Any]) -> dict[str, Any]:
    """A line of a report, as the API shows it, as one flat row."""
    return {**line, **line["counts"], **{f"{name}_rate": rate for name, rate in line["rates"].items()}}


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULAS):
        return f"'{value}"
    return "" if value is None else value


def asked_for(request: Request) -> bool:
    """Whether a sheet is asked for, by `format=csv` or by the Accept header. Raises InvalidInput for another format."""
    given = request.query.get("format", "")
    if given not in ("", "csv", "json"):
        raise InvalidInput("unknown_format", "format is json or csv.", "format")
    return given == "csv" or (not given and "text/csv" in request.headers.get("accept", "").lower())


def answer(name: str, period: Period, text: str, cursor: str) -> Answer:
    """A sheet as a file to be kept; the cursor of the next page stands in the header `x-next-cursor`."""
    file = f"{name}-{period.first.isoformat()}-{period.last.isoformat()}.csv"
    headers = {
        "content-type": "text/csv; charset=utf-8; header=present",
        "content-disposition": f'attachment; filename="{file}"',
        **({"x-next-cursor": cursor} if cursor else {}),
    }
    return {"statusCode": 200, "headers": headers, "body": text}
