"""The templates, read once."""

import pytest
from tests.support.template import Stack, root_stack


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
