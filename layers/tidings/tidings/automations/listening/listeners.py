"""Which events automations listen to and people inside them wait for: kept in memory, by the workspace's generation.

A batch of events reads the generation of its workspace, and what is here is loaded again once that grew: the pieces of
the workspace's index in one query, of which those that did not change are kept. No automation is read for an event; its
definition is when somebody enters, leaves or wakes, once a process.

A publication that is not seen yet loses nothing: whoever enters a version or waits in it does so after it was
published, and reads the timeline then, in which the event stands already that was reacted to with an older generation.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tidings.accounts.model import Workspace
from tidings.activity.model import SYSTEM, Event
from tidings.activity.own_events import REQUESTED, is_pretended
from tidings.automations.automation_store import unknown_version
from tidings.automations.definition.model import Definition
from tidings.automations.entering.refusals import Reason, Refused
from tidings.automations.listening.index import (
    AWAITS,
    BY_EVENT,
    DATES,
    ENROLS,
    GOALS,
    LETS_OUT,
    MERGES,
    Listener,
    Piece,
    pack,
    unpack,
)
from tidings.automations.listening.index_store import DynamoIndexStore
from tidings.automations.store import Automation, DynamoAutomationStore
from tidings.core.store import Database

# How much of indexes a process keeps, in bytes: that of a workspace with 10,000 automations has about 12 MB.
KEPT_BYTES = 128 * 1024 * 1024
KEPT_DEFINITIONS = 256
# The path of what was never written down, and so was made of the live automations.
_REBUILT = ""


@dataclass
class _Loaded:
    """The index of a workspace as it was when its generation was read."""

    generation: int
    pieces: dict[str, Piece] = field(default_factory=dict)
    awaited: frozenset[str] = frozenset()

    @property
    def size(self) -> int:
        return sum(piece.size for piece in self.pieces.values())


class Listeners:
    """The live automations of each workspace by the event that concerns them; reloaded when the workspace's grew."""

    def __init__(
        self, automations: DynamoAutomationStore, index: DynamoIndexStore, kept_bytes: int = KEPT_BYTES
    ) -> None:
        self._automations = automations
        self._index = index
        self._kept_bytes = kept_bytes
        self._generations: dict[str, int] = {}
        self._loaded: OrderedDict[str, _Loaded] = OrderedDict()
        self._definitions: OrderedDict[tuple[str, str, int], Definition] = OrderedDict()
        self._first: OrderedDict[tuple[str, str], datetime] = OrderedDict()

    @classmethod
    def over(cls, database: Database) -> Listeners:
        """The listeners on the tables of a database."""
        automations = DynamoAutomationStore(database)
        return cls(automations, DynamoIndexStore(database, automations))

    def refresh(self, workspace: Workspace) -> None:
        """Load a workspace's index again if anything was published since."""
        self._generations[workspace.id] = workspace.generation
        self._of(workspace.id)

    def to(self, event: Event) -> Sequence[Listener]:
        """The automations that an event may start, wherever they stand."""
        if not event.name or is_pretended(event):
            return ()
        pieces = self._of(event.workspace).pieces.values()
        named = [one for piece in pieces for one in piece.by_event(ENROLS, event.name)]
        asked = event.properties.get("automation") if event.type == SYSTEM else None
        if isinstance(asked, str):  # by name: thousands may be started by the same event, each by its own
            one = self.named(event.workspace, asked)
            named += [one] if one is not None and _is_addressed(one, event.name) else []
        return [one for one in named if not one.trigger.own or event.type == SYSTEM]

    def unheard(self, event: Event) -> Refused | None:
        """That the automation which a request names was not published, or begins otherwise; None of any other event."""
        name = event.properties.get("automation")
        if event.type != SYSTEM or event.name != REQUESTED or not isinstance(name, str):
            return None
        one = self.named(event.workspace, name)
        if one is None:
            return Refused(name, 0, Reason.NOT_PUBLISHED)
        return None if REQUESTED in one.trigger.events else Refused(name, one.version, Reason.NOT_BY_REQUEST)

    def hears(self, workspace: str, name: str) -> bool:
        """Whether an event of this name means anything to any automation, in a version that was ever published."""
        return any(self._names(workspace, role, name) for role in BY_EVENT)

    def awaits(self, workspace: str, name: str) -> bool:
        """Whether somebody may wait for an event of this name, in any version that was ever published."""
        return name in self._of(workspace).awaited

    def awaits_any(self, workspace: str) -> bool:
        """Whether somebody may wait for anything."""
        return bool(self._of(workspace).awaited)

    def letting_out(self, workspace: str, name: str) -> tuple[str, ...]:
        """The automations out of which an event of this name may let somebody, in any version that was ever published.

        `*` asks for a change of the contact, and nothing for anything at all.
        """
        return self._names(workspace, LETS_OUT, name)

    def goals(self, workspace: str, name: str) -> tuple[str, ...]:
        """The automations to which an event of this name may be a success, in any version that was ever published."""
        return self._names(workspace, GOALS, name)

    def with_goals(self, workspace: str) -> tuple[str, ...]:
        """The automations that have a goal, in any version that was ever published."""
        pieces = self._of(workspace).pieces.values()
        return tuple(
            {name for piece in pieces for event in piece.events(GOALS) for name in piece.names_by_event(GOALS, event)}
        )

    def to_merges_in(self, workspace: str) -> list[Listener]:
        """The automations that events of whoever is merged may start."""
        return [one for piece in self._of(workspace).pieces.values() for one in piece.of_kind(MERGES)]

    def with_dates(self, workspace: str) -> list[Listener]:
        """The automations that a date of a contact starts."""
        return [one for piece in self._of(workspace).pieces.values() for one in piece.of_kind(DATES)]

    def definition(self, workspace: str, name: str, version: int) -> Definition | None:
        """What a version says, which never changes: read once a process. None if there is no such version."""
        place = (workspace, name, version)
        if place not in self._definitions:
            found = self._automations.version(*place)
            if found is None:
                return None
            self._definitions[place] = found.definition
            if len(self._definitions) > KEPT_DEFINITIONS:
                self._definitions.popitem(last=False)
        self._definitions.move_to_end(place)
        return self._definitions[place]

    def automation(self, one: Listener) -> Automation:
        """The whole live version of an automation that somebody enters. Raises NotFound."""
        definition = self.definition(one.workspace, one.name, one.version)
        if definition is None:
            raise unknown_version()
        return Automation(one.workspace, definition, one.version, one.machine, one.published_at, state=one.state)

    def first_published(self, one: Listener) -> datetime:
        """When an automation was published first; where the index does not say it, that is asked once a process."""
        if one.first_published_at is not None:
            return one.first_published_at
        place = (one.workspace, one.name)
        if place not in self._first:
            self._first[place] = self._automations.first_published(self.automation(one))
            if len(self._first) > KEPT_DEFINITIONS:
                self._first.popitem(last=False)
        return self._first[place]

    def named(self, workspace: str, name: str) -> Listener | None:
        """The automation of a name, if it was published."""
        found = (piece.named(name) for piece in self._of(workspace).pieces.values())
        return next((one for one in found if one is not None), None)

    def _names(self, workspace: str, role: str, event: str) -> tuple[str, ...]:
        pieces = self._of(workspace).pieces.values()
        return tuple(name for piece in pieces for name in piece.names_by_event(role, event))

    def _of(self, workspace: str) -> _Loaded:
        """A workspace's index; loaded where it is not known, or was put away to make room for another's."""
        generation = self._generations.get(workspace, 0)
        known = self._loaded.get(workspace)
        if known is None or known.generation != generation:
            known = self._loaded[workspace] = self._load(workspace, generation, known)
            self._make_room()
        self._loaded.move_to_end(workspace)
        return known

    def _load(self, workspace: str, generation: int, known: _Loaded | None) -> _Loaded:
        if not generation:
            return _Loaded(0)
        stored = self._index.pieces(workspace)
        pieces: dict[str, Piece] = {}
        if stored is None:
            pieces[_REBUILT] = unpack(workspace, 0, pack(self._index.rebuilt(workspace)))
        for one in stored or ():
            before = known.pieces.get(one.path) if known else None
            same = before is not None and before.number == one.number
            pieces[one.path] = before if before and same else unpack(workspace, one.number, one.packed)
        awaited = frozenset(name for piece in pieces.values() for name in piece.events(AWAITS))
        return _Loaded(generation, pieces, awaited)

    def _make_room(self) -> None:
        size = sum(one.size for one in self._loaded.values())
        while size > self._kept_bytes and len(self._loaded) > 1:
            _, gone = self._loaded.popitem(last=False)
            size -= gone.size


def _is_addressed(one: Listener, event: str) -> bool:
    return one.trigger.addressed and event in one.trigger.events
