"""What a contact entered, and each step taken there."""

from __future__ import annotations

from typing import Any

from tidings.automations.enrolments.model import Enrolment
from tidings.automations.enrolments.rewinding import Then
from tidings.automations.enrolments.store import DynamoEnrolmentStore
from tidings.automations.statistics.room import Room
from tidings.contacts.model import Contact
from tidings.core import cursors
from tidings.core.clock import to_text


class EnrolmentHistory:
    """Enrolments of a contact, page by page."""

    def __init__(self, enrolments: DynamoEnrolmentStore) -> None:
        self._enrolments = enrolments

    def page(
        self, contact: Contact, limit: int, cursor: str, name: str, then: Then | None = None
    ) -> tuple[list[dict[str, Any]], str]:
        """Up to `limit` enrolments as the API shows them, the latest first, and the cursor of the next page.

        One query for each id that the contact goes by, over all of its enrolments, and one for the steps of each that
        is shown. `name` is what the contact was asked for by, to which cursors are bound; `then` shows those that had
        begun by an instant, as they stood. Raises InvalidInput.
        """
        found = [
            one
            for one in self._enrolments.of_contact(contact.workspace, contact.shown_ids)
            if contact.shows(one.contact, one.started_at) and (then is None or then.had_begun(one))
        ]
        scope = (contact.workspace, name, "enrolments", *([to_text(then.at)] if then else []))
        page, following = cursors.latest_first(found, _order, limit, scope, cursor)
        room = Room()
        if then is not None:
            return [then.with_steps(self._enrolments, one, room) for one in page], following
        return [self._enrolments.with_steps(one, room) for one in page], following


def _order(enrolment: Enrolment) -> tuple[str, str]:
    return to_text(enrolment.started_at), f"{enrolment.contact}/{enrolment.automation}/{enrolment.entry}"
