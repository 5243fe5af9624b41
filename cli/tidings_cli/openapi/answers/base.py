"""What every answer is made of."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

Instant = Annotated[datetime, Field(examples=["2026-11-21T09:00:00.000000Z"])]
"""ISO 8601 in UTC, with microseconds."""

Anything = dict[str, Any]
"""A JSON object whose fields are the caller's own."""

Cursor = Annotated[str, Field(description="Asks for the next page; empty at the end.")]


NAMED = "x-schema"


def schema_named(name: str) -> dict[str, Any]:
    """A mark for a schema that no model here has: pydantic follows references only to what it made itself."""
    return {NAMED: name}


class Shape(BaseModel):
    """An object that has these fields and no others."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Error(Shape):
    """Why a call was refused. `code` is for programs and stable, `message` is for people."""

    code: str
    message: str
    field: str | SkipJsonSchema[None] = Field(None, description="What of the call is to blame, where it is one thing.")


class AutomationProblem(Shape):
    """One mistake in an automation; `component` is its id, or empty, `place` is where it stands."""

    code: str
    message: str
    component: str
    level: Annotated[str, Field(pattern="^(error|warning)$")]
    place: str


class AutomationError(Error):
    """Why an automation was refused, with everything that is wrong with it."""

    problems: list[AutomationProblem] | SkipJsonSchema[None] = None
