"""The component `update_contact`: the contact, the event that tells of it and the step, in one transaction.

So a repeat finds the step and changes nothing, and what is added to a number is added once. Who adds at the same time
is refused by the contact's version, and counts on from what the other one left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tidings.activity.editing import ContactEditing, Edit, read_traits
from tidings.automations.components import UpdateContact
from tidings.automations.components.acts import FromProperty
from tidings.automations.enrolments.model import EnrolmentOver, StepTaken
from tidings.automations.entering.requests import DEPTH, depth_below
from tidings.automations.steps.acting import Acting
from tidings.automations.steps.runner import Situation, StepRunner
from tidings.automations.steps.values import Valuing
from tidings.contacts.erased import PersonErased
from tidings.contacts.model import Contact
from tidings.contacts.rules import ADDRESSES, SNAKE_CASE
from tidings.core.errors import InvalidInput
from tidings.core.ids import digest
from tidings.core.store import ConditionFailed, Part

UPDATED, UNCHANGED, REFUSED = "updated", "unchanged", "refused"


class UpdatingContact(Acting):
    """Sets and takes away traits of the contact."""

    def __init__(self, runner: StepRunner, editing: ContactEditing, values: Valuing) -> None:
        self._runner = runner
        self._editing = editing
        self._values = values

    def act(self, situation: Situation, component: UpdateContact) -> dict[str, Any]:
        """Take the step; the machine's answer. Raises EnrolmentOver for somebody who was erased."""
        step: StepTaken | None = None

        def plan(contact: Contact) -> Edit:
            return self._edit(situation, component, contact)

        def parts(edit: Edit, after: Contact) -> list[Part]:
            nonlocal step  # a wait behind it may be until a date that it sets, or in a zone that follows from it
            step = self._runner.step(replace(situation, contact=after), UPDATED, UPDATED, _why(edit))
            return self._runner.enrolments.record(situation.call, step)

        try:
            edited = self._editing.edit_with(situation.workspace, situation.contact, plan, parts)
        except InvalidInput as error:
            why = {"code": error.code, "field": error.field, "found": error.message}
            return self._runner.take(situation, REFUSED, REFUSED, why)
        except PersonErased as error:
            raise EnrolmentOver(situation.call.component) from error
        except ConditionFailed as error:
            return self._runner.answer_of_earlier(situation.call, error)
        if not edited or step is None:
            return self._runner.take(situation, UNCHANGED, UNCHANGED, {})
        return step.answer

    def _edit(self, situation: Situation, component: UpdateContact, contact: Contact) -> Edit:
        """What is to be of the contact as it is. Raises InvalidInput for what it may not have."""
        call = situation.call
        told: dict[str, Any] = self._values.of(situation, component.set_, contact)
        told |= dict.fromkeys(component.unset)
        traits = read_traits(told, situation.workspace.identifiers)
        _guard(situation, component, contact, traits)
        return Edit(
            traits=traits,
            user_id="",
            key="",
            message_id=digest("edit", call.contact, call.automation, call.entry, call.component, str(call.n)),
            cause=situation.enrolment.node,
            root=situation.enrolment.began_by,
            about={DEPTH: depth_below(situation.enrolment, situation.properties)},
        )


def _guard(situation: Situation, component: UpdateContact, contact: Contact, traits: Mapping[str, Any]) -> None:
    """What anybody may say in a browser changes no known contact's address, not by an automation either.

    To fill an empty one is no change. Raises InvalidInput. Source: `contacts.rules.is_guarded`.
    """
    if not situation.enrolment.is_of_browser or not contact.is_known or situation.workspace.identifiers.addresses_open:
        return
    sources = {SNAKE_CASE.get(name, name): value for name, value in component.set_.items()}
    for name in sorted(ADDRESSES.keys() & traits.keys()):
        changes = contact.values.get(name) not in (None, "", traits[name])
        if changes and isinstance(sources.get(name), FromProperty):
            told = "What a publishable key reported does not change the address of somebody who is known."
            raise InvalidInput(f"publishable_key_may_not_change_{name}", told, f"traits.{name}")


def _why(edit: Edit) -> dict[str, Any]:
    """The names of traits, not what they say: that stands in the event, and with the contact."""
    return {"traits": sorted(edit.traits), "event": edit.message_id}
