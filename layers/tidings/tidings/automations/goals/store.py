"""Who reached the goal of an automation: noted with the enrolment and counted in one stroke."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from tidings.automations.enrolments.items import EnrolmentItem
from tidings.automations.enrolments.model import Enrolment
from tidings.automations.enrolments.store import DynamoEnrolmentStore
from tidings.automations.statistics.tallies import CONVERTED, name_of, together
from tidings.automations.statistics.tally_store import DynamoTallyStore
from tidings.core.clock import to_text
from tidings.core.store import ConditionFailed, Database, update


class DynamoGoalStore:
    """Conversions in DynamoDB."""

    def __init__(self, database: Database, enrolments: DynamoEnrolmentStore) -> None:
        self._database = database
        self._enrolments = enrolments
        self._items = database.table(EnrolmentItem, "enrolments")
        self._tallies = DynamoTallyStore(database)

    def unconverted(self, workspace: str, contacts: Sequence[str], automation: str = "") -> list[Enrolment]:
        """The enrolments of a contact, which goes by these ids, that did not convert: one query for each id.

        Those of all automations if none is named.
        """
        table = self._items
        meant = table.state.exists() & table.converted_at.does_not_exist() & table.erased_at.does_not_exist()
        return [one for contact in contacts for one in self._enrolments.meant(workspace, contact, automation, meant)]

    def convert(self, enrolment: Enrolment, at: datetime, ways: Iterable[tuple[str, str]]) -> bool:
        """Note that an enrolment converted by an event of that instant, and count it; False if it did before.

        `ways` are components on the way that decided, with what came of it. Two write units for each, and six more.
        """
        table = self._items
        place = table(f"{enrolment.workspace}#{enrolment.contact}", f"{enrolment.automation}#{enrolment.entry}")
        new = table.state.exists() & table.converted_at.does_not_exist() & table.erased_at.does_not_exist()
        arms = [{component: Counter({name_of(CONVERTED, outcome): 1})} for component, outcome in ways]
        changes = together([{"": Counter({CONVERTED: 1})}, *arms])
        whose = (enrolment.workspace, enrolment.automation, enrolment.version, enrolment.contact)
        parts = [update("enrolment", place, [table.converted_at.set(to_text(at))], new)]
        try:
            self._database.transact([*parts, *self._tallies.parts(*whose, changes)])
        except ConditionFailed:
            return False
        return True
