"""The statistics of an automation: what was counted, and what follows from it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from tidings.automations.definition.model import Definition
from tidings.automations.statistics.lists import DynamoLists, standing_at
from tidings.automations.statistics.rules import (
    Numbers,
    Rows,
    Standing,
    arms,
    goals,
    heads_to_ask,
    numbers,
    rate,
    together,
    totals,
)
from tidings.automations.statistics.tallies import Place, place_of
from tidings.automations.statistics.tally_store import DynamoTallyStore
from tidings.automations.store import DynamoAutomationStore
from tidings.core.clock import Clock, to_text
from tidings.core.errors import InvalidInput, NotFound
from tidings.core.store import Database

# Up to how many people in a chain of waits are looked at one by one (some 3 MB), and in all chains together.
LOOKED_AT, LOOKED_AT_IN_ALL = 10_000, 30_000


class StatisticsService:
    """Numbers of automations."""

    def __init__(self, database: Database, automations: DynamoAutomationStore, clock: Clock) -> None:
        self._database = database
        self._automations = automations
        self._tallies = DynamoTallyStore(database)
        self._lists = DynamoLists(database)
        self._clock = clock

    def of(self, workspace: str, name: str, version: int | None) -> dict[str, Any]:
        """The numbers of one version, or of all together with each version's totals.

        16 queries of counts, two batched reads of definitions, and of whom it follows from the ends of waits alone
        where they are eight queries for each state that leads into a chain of several waits, which end at 10,000 people
        there, and at 30,000 in all. Raises NotFound.
        """
        _, live = self._automations.require_with_live(workspace, name)
        rows = self._tallies.rows(workspace, name, version)
        known = {*rows, *([live.version] if live else [])}
        definitions = self._definitions(workspace, name, [version] if version else sorted(known))
        if version and version not in definitions:
            raise no_such_version()
        standing = self._standing(workspace, name, definitions, rows)
        found: dict[int, dict[str, Numbers]] = {
            one: numbers(definition, rows.get(one, {}), {head: of[one] for head, of in standing.items()})
            for one, definition in definitions.items()
        }
        return {
            "automation": name,
            "version": version,
            "at": self._clock.now(),
            **together(totals(rows.get(one, {})) for one in definitions),
            "versions": [{"version": one, **totals(rows.get(one, {}))} for one in definitions],
            **_shown(definitions, found),
        }

    def _definitions(self, workspace: str, name: str, versions: list[int]) -> dict[int, Definition]:
        keys = {self._automations.version_key(workspace, name, one): one for one in versions}
        items = self._database.batch_get(keys)
        found = {one: self._automations.entity(items[key]).definition for key, one in keys.items() if key in items}
        return dict(sorted(found.items(), reverse=True))

    def _standing(
        self, workspace: str, name: str, definitions: Mapping[int, Definition], rows: Mapping[int, Rows]
    ) -> dict[str, dict[int, Standing]]:
        heads: dict[str, list[int]] = defaultdict(list)
        for version, definition in definitions.items():
            for head in heads_to_ask(definition, rows.get(version, {})):
                heads[head].append(version)
        standing, left = dict[str, dict[int, Standing]](), LOOKED_AT_IN_ALL
        for head in heads:
            standing[head], seen = self.stands(workspace, name, head, list(definitions), min(left, LOOKED_AT))
            left -= seen
        return standing

    def stands(
        self, workspace: str, name: str, head: str, versions: list[int], most: int = LOOKED_AT
    ) -> tuple[dict[int, Standing], int]:
        """By version who came to a state last, and how many were looked at for that, none where `most` is none.

        First those are asked for whose first wait is over, who are few.
        """
        if not most:
            return {version: Standing() for version in versions}, 0
        now = self._clock.now()
        asked = standing_at(workspace, name, head)
        border = f"{to_text(now)}\U0010ffff"
        past = self._lists.between(asked, "", border, most)
        left = most if past is None else most - len(past)
        ahead = self._lists.between(asked, border, "", left)
        places: dict[int, Counter[Place]] = {version: Counter() for version in versions}
        for one in past or ():
            if one.version in places:
                places[one.version][place_of(head, one.until, now)] += 1
        waiting = Counter(one.version for one in ahead or ())
        seen = sum(most if found is None else len(found) for found in (past, ahead))
        return {
            version: Standing(None if past is None else places[version], None if ahead is None else waiting[version])
            for version in versions
        }, min(seen, most)


def version_in(query: Mapping[str, str]) -> int | None:
    """Which version a query asks for; None for all. Raises InvalidInput."""
    text = query.get("version", "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 1_000_000:
        raise InvalidInput("invalid_version", "A version is a number from 1 on.", "version")
    return int(text)


def no_such_version() -> NotFound:
    """That no version of this number was published."""
    return NotFound("no_such_version", "There is no such version of the automation.", "version")


def _shown(definitions: Mapping[int, Definition], found: Mapping[int, Mapping[str, Numbers]]) -> dict[str, Any]:
    """Components, arms and goals over all versions: a component is the same that has the same name."""
    whole: dict[str, Numbers] = {}
    types: dict[str, str] = {}
    shown_arms: dict[tuple[str, str], dict[str, Any]] = {}
    reached: Counter[str] = Counter()
    for version, definition in definitions.items():
        for name, one in found[version].items():
            types.setdefault(name, str(getattr(definition.components[name], "type", "")))
            whole.setdefault(name, Numbers()).add(one)
        for arm in arms(definition, found[version]):
            known = shown_arms.setdefault((arm["component"], arm["arm"]), {**arm, "took": 0, "converted": 0})
            known["took"] += arm["took"]
            known["converted"] += arm["converted"]
            known["conversion_rate"] = rate(known["converted"], known["took"])
        reached.update(goals(definition, found[version]))
    return {
        "components": [{"component": name, "type": types[name], **one.as_dict()} for name, one in whole.items()],
        "arms": list(shown_arms.values()),
        "goals": [{"component": name, "reached": number} for name, number in reached.items()],
    }
