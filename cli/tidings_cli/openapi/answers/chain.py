"""What led to what."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tidings_cli.openapi.answers.base import Anything, Instant, Shape


class ChainNode(Shape):
    """An event, a message, an enrolment, or the call of the API that ordered a message; `detail` depends on which."""

    node: str
    kind: Annotated[str, Field(pattern="^(event|message|enrolment|call)$")]
    at: Instant
    title: str
    """The event's name, the message's template, the automation, or the call's idempotency key."""
    contact: str
    """Whose it is; empty where nobody is left."""
    detail: Anything
    children: list[ChainNode]
    """What it led to, earliest first."""


class ChainTree(Shape):
    """A chain of causes from what began it."""

    root: str
    asked: str
    truncated: bool
    """Whether there is more than is shown."""
    tree: ChainNode
