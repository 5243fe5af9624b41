"""What somebody may ask about themselves: to be told everything, and to be forgotten."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from tidings.privacy.model import ErasureState, Section
from tidings_cli.openapi.answers.base import Cursor, Instant, Shape


class ExportItem(BaseModel):
    """One document of what is known, with the part of the export that it belongs to."""

    model_config = ConfigDict(extra="allow")

    section: Section


class Export(Shape):
    """A page of everything that is known of a person; it may be empty before the end."""

    contact: str
    generated_at: Instant
    items: list[ExportItem]
    cursor: Cursor


class EraseOrder(BaseModel):
    """Erasing cannot be undone: the contact is named twice."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    confirm: str
    """The contact's id."""


class Erasure(Shape):
    """How far the erasure has come."""

    contact: str
    state: ErasureState
