"""Fixtures that every test may ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from botocore.client import BaseClient
from botocore.session import Session
from hypothesis import settings
from moto import mock_aws

from tests.support.recorder import Recorder
from tests.support.world import REGION, World

settings.register_profile("tidings", deadline=None, max_examples=100)
settings.load_profile("tidings")


@pytest.fixture(scope="session", autouse=True)
def clients() -> Iterator[None]:
    """Make each kind of AWS client once: making one costs more than most tests. moto answers any of them."""
    made: dict[tuple[Any, ...], BaseClient] = {}
    create = Session.create_client

    def create_once(session: Session, service: str, region_name: str | None = None, **arguments: Any) -> BaseClient:
        config = arguments.get("config")
        options = sorted((name, str(value)) for name, value in vars(config).items()) if config else []
        key = (service, region_name or os.environ.get("AWS_REGION"), arguments.get("endpoint_url"), str(options))
        if key not in made:
            made[key] = create(session, service, region_name, **arguments)
        return made[key]

    with mock.patch.object(Session, "create_client", create_once):
        yield


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
