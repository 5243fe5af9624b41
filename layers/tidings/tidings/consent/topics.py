"""Topics of a workspace: what its marketing is about, and what each needs before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from tidings.accounts.model import Workspace
from tidings.consent.model import MARKETING, Asking, Topic
from tidings.consent.policy import Definition

SECTION = "topics"
TOPICS = 50


class TopicInput(Definition):
    """A topic as it is defined."""

    title: Annotated[str, Field(min_length=1, max_length=100)]
    description: Annotated[str, Field(max_length=1000)] = ""
    consent: Annotated[Asking, Field(strict=False)] = Asking.OPT_IN
    confirmation: Annotated[str, Field(pattern=r"^([a-z][a-z0-9-]{0,62})?$")] = ""


def topics_of(workspace: Workspace) -> dict[str, Topic]:
    """The topics of a workspace by name: those that it defines, and `marketing`."""
    defined: Mapping[str, Any] = workspace.policy.get(SECTION, {})
    return {MARKETING.name: MARKETING, **{name: _topic(name, told) for name, told in sorted(defined.items())}}


def topic_of(workspace: Workspace, name: str) -> Topic | None:
    """A topic of a workspace; None if there is none of this name."""
    told = workspace.policy.get(SECTION, {}).get(name)
    if told is not None:
        return _topic(name, told)
    return MARKETING if name == MARKETING.name else None


def _topic(name: str, told: Mapping[str, Any]) -> Topic:
    return Topic(
        name=name,
        title=told.get("title", name),
        description=told.get("description", ""),
        consent=Asking(told.get("consent", Asking.OPT_IN)),
        confirmation=told.get("confirmation", ""),
    )
