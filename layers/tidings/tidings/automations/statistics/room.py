"""How much of why an answer can hold: Lambda takes 6 MB of it, and what is larger is an error instead of an answer.

A step keeps up to 200 KB of why, and a page shows 200 of them; the way of somebody in a loop has thousands.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

ANSWER_BYTES = 4 * 1024 * 1024
LEFT_OUT = {"left_out": "the answer has no room for it"}


class Room:
    """The room of one answer."""

    def __init__(self) -> None:
        self._left = ANSWER_BYTES

    def shown(self, step: Mapping[str, Any]) -> dict[str, Any]:
        """A step as the API shows it; where there is no room for its `why`, that is said instead."""
        # An answer is JSON, and stands as text in the JSON that a function gives back: so what quotes it is quoted.
        size = len(json.dumps(json.dumps(step["why"], default=str)))
        if size > self._left:
            return {**step, "why": dict(LEFT_OUT)}
        self._left -= size
        return dict(step)

    def path(self, steps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Steps in their order; there is room for the latest first."""
        return [self.shown(step) for step in reversed(steps)][::-1]
