"""Fixtures that every test may ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from moto import mock_aws

from tests.support import fast
from tests.support.recorder import Recorder
from tests.support.world import REGION, World

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# CI asks the same questions each time, so that what it refuses is the change; people's runs go on looking.
settings.register_profile("tidings", deadline=None, max_examples=100, derandomize="CI" in os.environ)
settings.load_profile("tidings")


@pytest.fixture(scope="session", autouse=True)
def clients() -> Iterator[None]:
    """Make each kind of AWS client once."""
    with fast.sharing():
        yield


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser."""
    from tests.support.browsers import chromium  # late: most tests open none

    with chromium() as opened:
        yield opened


@pytest.fixture
def recorder() -> Recorder:
    """Records every AWS call."""
    return Recorder()


@pytest.fixture
def world(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """All of Tidings over moto, with a workspace and its keys."""
    for name, value in {
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws(), recorder.listening():
        yield World(recorder, monkeypatch)
