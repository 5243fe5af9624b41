"""What a message cost, as its provider tells it: kept once, whatever is told again, late or out of order.

Money is text, a decimal number of US dollars, and is counted in millionths of a dollar, which are whole numbers: no sum
of a report is off by a rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

MICROS = Decimal(1_000_000)
MAGNITUDE = 15  # powers of ten: written out, one of a billion would fill the memory
PRICE, FEE, PARTS = "cost_micro_usd", "carrier_fee_micro_usd", "parts"
# What stands of a bill in a message's `transport`.
_KEPT = ("price", "fee", "mcc", "mnc", "carrier", "billed_at")


@dataclass(frozen=True, slots=True)
class Bill:
    """What a provider charged at an instant (ISO 8601): `price` and the carrier's `fee` in USD, for so many `parts`.

    `mcc` and `mnc` are the country's and network's codes (ITU E.212), `carrier` is the network's name.
    """

    at: str
    price: str
    fee: str = "0"
    parts: int = 0
    mcc: str = ""
    mnc: str = ""
    carrier: str = ""


def charged(transport: Mapping[str, Any], bill: Bill) -> tuple[dict[str, Any], dict[str, int]] | None:
    """A message's `transport` with what a bill says, and by how much that changes what is counted.

    Of several bills the latest stands alone, and of those of one instant the same, whatever order they come in. None
    where a bill that stands is later, or is this one.
    """
    known = _standing(transport)
    if known is not None and _rank(bill) <= _rank(known):
        return None
    parts = bill.parts or int(transport.get("parts") or 0)
    told = {"price": bill.price, "fee": bill.fee, "mcc": bill.mcc, "mnc": bill.mnc, "carrier": bill.carrier}
    rest = {name: value for name, value in transport.items() if name not in _KEPT}
    kept = {name: value for name, value in told.items() if value}
    changed = {**rest, **({"parts": parts} if parts else {}), **kept, "billed_at": bill.at}
    counts = {
        PRICE: micros(bill.price) - (micros(known.price) if known else 0),
        FEE: micros(bill.fee) - (micros(known.fee) if known else 0),
        PARTS: parts - int(transport.get("parts") or 0),
    }
    return changed, {name: number for name, number in counts.items() if number}


def number(digits: str) -> Decimal:
    """A number as it is written, of a size that amounts have. Raises ValueError for any other."""
    try:
        found = Decimal(digits)
    except InvalidOperation as error:
        raise ValueError("an amount is a number") from error
    if found.is_finite() and abs(found.adjusted()) > MAGNITUDE:
        raise ValueError("no amount is so large or so small")
    return found


def money(value: Any) -> str:
    """An amount as it is kept: its digits, without zeros that say nothing. Raises ValueError for what is none.

    A float is read by its shortest digits, as JSON has it.
    """
    amount = number(str(value))
    if not amount.is_finite() or amount < 0:
        raise ValueError("an amount is a number from zero")
    text = f"{amount:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def micros(amount: str) -> int:
    """An amount in millionths; what is smaller still is rounded, of a message by itself."""
    return int((Decimal(amount or 0) * MICROS).to_integral_value(ROUND_HALF_EVEN))


def _standing(transport: Mapping[str, Any]) -> Bill | None:
    if "billed_at" not in transport:
        return None
    texts = {name: str(transport.get(name) or "") for name in ("mcc", "mnc", "carrier")}
    price, fee = str(transport.get("price") or "0"), str(transport.get("fee") or "0")
    return Bill(str(transport["billed_at"]), price, fee, int(transport.get("parts") or 0), **texts)


def _rank(bill: Bill) -> tuple[Any, ...]:
    return bill.at, Decimal(bill.price), Decimal(bill.fee), bill.parts, bill.mcc, bill.mnc, bill.carrier
