"""Who goes which way at a split: chance that is the same whenever it is asked.

A person stands in one of 10,000 buckets, by a hash of the automation's name, the component and the contact. The version
is no part of it: publishing again moves nobody whose share did not change. The arms take the buckets in the order of
the file, the holdout last, each as many as its percentage says; percentages have at most two decimals, so that comes
out even.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

BUCKETS = 10_000


@dataclass(frozen=True, slots=True)
class Share:
    """The buckets of an outcome: from `first` on, `end` not included."""

    outcome: str
    first: int
    end: int


def bucket_of(automation: str, component: str, contact: str) -> int:
    """Where a contact stands, from 0 to 9,999. What is left over of the hash makes no bucket likelier by 1 in 10^15."""
    text = json.dumps(["split", automation, component, contact], ensure_ascii=True, separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % BUCKETS


def shares_of(percentages: Sequence[tuple[str, Decimal]]) -> list[Share]:
    """The buckets of each outcome; the percentages make a hundred."""
    shares, first = [], 0
    for outcome, percent in percentages:
        end = first + int(percent * (BUCKETS // 100))
        shares.append(Share(outcome, first, end))
        first = end
    return shares


def share_with(shares: Sequence[Share], bucket: int) -> Share:
    """The share that a bucket is in."""
    return next(share for share in shares if share.first <= bucket < share.end)
