"""One set of carriers for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.functional.carriers.local import Local


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    """Carriers with the configuration set `tidings`, and clients for them."""
    served = Local(tmp_path / "state")
    yield served
    served.close()
