"""The templates, read once."""

import pytest
from tests.support.template import Stack, root_stack


def pytest_configure(config: pytest.Config) -> None:
    """Tell of the markers that only these tests have."""
    config.addinivalue_line("markers", "build: builds the layers, for which packages are fetched")
    config.addinivalue_line("markers", "artifact: opens what `make build` left in .aws-sam")


@pytest.fixture(scope="session")
def root() -> Stack:
    return root_stack()


@pytest.fixture(scope="session")
def data(root: Stack) -> Stack:
    return root.nested("Data")


@pytest.fixture(scope="session")
def messaging(root: Stack) -> Stack:
    return root.nested("Messaging")


@pytest.fixture(scope="session")
def observability(root: Stack) -> Stack:
    return root.nested("Observability")
