"""One local system for all end-to-end tests of a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.e2e.local_system import LocalSystem, start

# Two days pass in 1.7 s.
WAIT_SCALE = "0.00001"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs the engine."""
    for item in items:
        if "/e2e/" in item.path.as_posix():
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    """The checkout, deployed to an engine of its own, with its calls recorded; stopped by SIGTERM at the end."""
    system = start(tmp_path_factory.mktemp("local"), "--wait-scale", WAIT_SCALE)
    yield system
    assert system.stop() == 0
