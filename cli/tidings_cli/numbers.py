"""Numbers on the command line: `type=` of argparse, with a sentence for what is none."""

from __future__ import annotations

import argparse
import math


def port(text: str) -> int:
    """A port to listen on."""
    number = _whole(text)
    if number is None or not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 (any free one) to 65535")
    return number


def positive(text: str) -> int:
    """A count."""
    number = _whole(text)
    if number is None or number < 1:
        raise argparse.ArgumentTypeError("must be a number, 1 or more")
    return number


def scale(text: str) -> float:
    """A factor."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number < 0:
        raise argparse.ArgumentTypeError("a scale is 0 or a positive number")
    return number


def _whole(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None
