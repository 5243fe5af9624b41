"""A pytest plugin: what the SDK under test sends to Segment goes to TIDINGS_URL, and how that answers is written down.

Below the SDK and what its tests replace of it, so that they stay as they were published.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

SEGMENT = "https://api.segment.io"

_answers: Counter[int] = Counter()
_send = HTTPAdapter.send


def _send_to_us(self: HTTPAdapter, request: PreparedRequest, **options: Any) -> Response:
    ours = (request.url or "").startswith(SEGMENT)
    if ours:
        request.url = os.environ["TIDINGS_URL"] + (request.url or "").removeprefix(SEGMENT)
    answer = _send(self, request, **options)
    if ours:
        _answers[answer.status_code] += 1
    return answer


def pytest_configure(config: pytest.Config) -> None:
    """From the start on."""
    HTTPAdapter.send = _send_to_us  # type: ignore[method-assign]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """How often there was which answer, in a file of each process that ran tests."""
    (Path(os.environ["ANSWERS"]) / f"{os.getpid()}.json").write_text(json.dumps(_answers), encoding="utf-8")
