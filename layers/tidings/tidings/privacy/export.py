"""Everything that is known of a person, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from tidings.contacts.model import Contact
from tidings.contacts.service import ContactDirectory
from tidings.core.clock import Clock
from tidings.privacy.model import Place, Section
from tidings.privacy.rules import PAGE_BYTES, PAGE_QUERIES, read_cursor, weight, write_cursor

Keyed = tuple[tuple[str, ...], Mapping[str, Any]]


class Reader(Protocol):
    """Where everything is read."""

    def sources(self, section: Section, contact: Contact) -> Sequence[str]:
        """The names of the places that a section is read from; one query each, or none."""

    def documents(self, section: Section, contact: Contact, source: str, after: tuple[str, ...]) -> Iterator[Keyed]:
        """A source's documents beyond a key, each with its own; all of them beyond no key."""


class ExportService:
    """Hands out what is known of a person."""

    def __init__(self, directory: ContactDirectory, reader: Reader, clock: Clock) -> None:
        self._directory = directory
        self._reader = reader
        self._clock = clock

    def page(self, workspace: str, contact: str, cursor: str = "") -> dict[str, Any]:
        """A page of the export: its items, and the cursor of the next page, empty at the end.

        A page is as long as an answer may be, and may be empty before the end. What comes while the pages are read is
        in those that are still to come. Raises NotFound, or InvalidInput for a cursor that was not made here.
        """
        person = self._directory.get(workspace, contact)
        items: list[Mapping[str, Any]] = []
        reached = self._fill(items, person, read_cursor(cursor))
        return {
            "contact": person.id,
            "generated_at": self._clock.now(),
            "items": items,
            "cursor": write_cursor(reached) if reached else "",
        }

    def _fill(self, items: list[Mapping[str, Any]], person: Contact, begin: Place) -> Place | None:
        """Add documents until the page is full; the place that was reached, None at the end."""
        size = 0
        for number, place in enumerate(self._ahead(person, begin)):
            if number >= PAGE_QUERIES:
                return place
            for key, document in self._reader.documents(place.section, person, place.source, place.key):
                items.append({"section": place.section.value, **document})
                size += weight(items[-1])
                if size >= PAGE_BYTES:
                    return Place(place.section, place.source, key)
        return None

    def _ahead(self, person: Contact, begin: Place) -> Iterator[Place]:
        sections = list(Section)
        for section in sections[sections.index(begin.section) :]:
            for source in sorted(self._reader.sources(section, person)):
                if section is not begin.section or source > begin.source:
                    yield Place(section, source)
                elif source == begin.source:
                    yield begin
