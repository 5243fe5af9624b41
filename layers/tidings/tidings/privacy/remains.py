"""What is left of an erased person in the other rooms' tables, and how it goes.

Each method clears some of it and says how many items that took; all of it is cleared when all of them say none. What
they find is found by queries, and what is cleared is not found again: so they may be interrupted and repeated.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tidings.accounts.model import Workspace
from tidings.activity.merged import MERGED, UNMERGED
from tidings.activity.store import DynamoEventStore, EventItem
from tidings.automations.dates.agenda_store import AGENDA, DynamoAgendaStore
from tidings.automations.enrolments.items import TRIGGER, EnrolmentItem, StepItem
from tidings.automations.enrolments.model import WAITS, EnrolmentState
from tidings.automations.enrolments.store import DynamoEnrolmentStore
from tidings.automations.entering.entries_store import ENTRIES
from tidings.automations.entering.refusals_store import REFUSED
from tidings.automations.machines.gateway import StepFunctionsGateway
from tidings.consent.model import Channel
from tidings.consent.store import DynamoConsentStore, address_key
from tidings.contacts.conflict_store import ConflictItem
from tidings.contacts.merge_store import MergeItem
from tidings.contacts.model import Contact
from tidings.contacts.store import DynamoContactStore
from tidings.conversations.clearing import ConversationClearing
from tidings.core.clock import from_text, to_text
from tidings.core.store import ConditionFailed, Database, Item, Key, faults
from tidings.messages.store import MessageItem
from tidings.privacy.model import Tombstone, own_id
from tidings.privacy.rules import CAUSE_KEPT, KEPT_OF_ENROLMENT, KEPT_OF_MESSAGE, addresses_of
from tidings.sms.link_store import DynamoShortLinkStore

# By what name erased people leave automations.
ERASED = "erased"
MERGE_EVENTS = (MERGED, UNMERGED)


class DynamoRemains:
    """Clears events, messages, enrolments, steps and records of merges."""

    def __init__(self, database: Database, executions: StepFunctionsGateway) -> None:
        self._database = database
        self._executions = executions
        self._consents = DynamoConsentStore(database)
        self._contacts = DynamoContactStore(database)
        self._talks = ConversationClearing(database)
        self._enrolment_store = DynamoEnrolmentStore(database)
        self._agenda = DynamoAgendaStore(database)
        self._event_store = DynamoEventStore(database)
        self._events = database.table(EventItem, "events")
        self._messages = database.table(MessageItem, "messages")
        self._links = DynamoShortLinkStore(database)
        self._enrolments = database.table(EnrolmentItem, "enrolments")
        self._steps = database.table(StepItem, "steps")
        self._merges = database.table(MergeItem, "merges")
        self._conflicts = database.table(ConflictItem, "merges")

    def events(self, tombstone: Tombstone, most: int) -> int:
        """Delete events told before the erasure, 25 a call."""
        gone: list[Key] = []
        person, before = tombstone.person, self._events.received_at <= to_text(tombstone.erased_at)
        for identity in person.event_identities:
            # An id from outside may since be that of somebody new; a contact's own id never is.
            own = identity == own_id(identity.value)
            pk = f"{tombstone.workspace}#{identity}"
            with faults():
                for item in self._events.received.query(
                    pk, None if own else before, consistent_read=True, page_size=100
                ):
                    if not own or _belongs(person, identity.value, item.received_at):
                        gone.append(Key(self._events, item.pk, item.sk))
                    if len(gone) >= most:
                        return self._delete(gone)
        return self._delete(gone)

    def told_elsewhere(self, tombstone: Tombstone, most: int) -> int:
        """Delete what others' timelines tell of merges with this person that were taken back."""
        clearing = tombstone.clearing
        own = set(clearing.contacts) if clearing else set()
        gone: list[Key] = []
        for contact in clearing.related if clearing else ():
            pk, table = f"{tombstone.workspace}#{own_id(contact)}", self._events
            with faults():
                found = table.received.query(pk, filter_condition=table.name.is_in(*MERGE_EVENTS), consistent_read=True)
                for item in found:
                    told = self._event_store.entity(item).properties
                    if own & {told.get("absorbed"), told.get("survivor")}:
                        gone.append(Key(table, item.pk, item.sk))
        return self._delete(gone[:most])

    def messages(self, workspace: Workspace, tombstone: Tombstone, most: int) -> int:
        """Take out of messages what they said, to whom and why, and suppress addresses that only they still tell.

        Short links go first: the message names them, and where they lead may tell of the person.
        """
        cleared, person = 0, tombstone.person
        for contact, item in self._unerased(self._messages, tombstone):
            if not _belongs(person, contact, _text(item, "claimed_at")):
                continue
            if cleared >= most:
                break
            self._keep_out(workspace, tombstone, item)
            self._delete([self._links.key(code) for code in _links_in(item)])
            self._strip(self._messages, item, KEPT_OF_MESSAGE, tombstone, _cause_kept(item))
            cleared += 1
        return cleared

    def conversations(self, tombstone: Tombstone, most: int) -> int:
        """Delete conversations with everything that stands in them; a conversation with its count, in one stroke."""
        cleared = 0
        for contact in tombstone.clearing.contacts if tombstone.clearing else ():
            cleared += self._talks.clear(tombstone.workspace, contact, most - cleared)
            if cleared >= most:
                break
        return cleared

    def consent_logs(self, workspace: Workspace, tombstone: Tombstone, most: int) -> int:
        """Delete how what is known of the person's addresses came about, where nobody else has the address now.

        Who is never to be written to again needs no proof of what they said before: theirs goes in any case.
        """
        clearing = tombstone.clearing
        gone: list[Key] = []
        for _, address in addresses_of(tombstone.person):
            identity = next(one for one in tombstone.person.identities if one.value == address)
            keep_out = clearing is not None and clearing.keep_out
            if keep_out or not self._contacts.contacts_with(tombstone.workspace, identity, 1):
                gone += self._consents.log_keys(tombstone.workspace, address_key(workspace, address))
        return self._delete(gone[:most])

    def enrolments(self, tombstone: Tombstone, most: int) -> int:
        """Stop what still runs, and take out of enrolments all but that they were."""
        cleared, theirs, person = 0, True, tombstone.person
        triggers: list[Key] = []
        for contact, item in self._unerased(self._enrolments, tombstone):
            if cleared >= most or len(triggers) >= most:
                break
            if item["sk"]["S"].startswith(AGENDA):
                own = contact in person.every_id
                triggers += self._agenda.keys_under(tombstone.workspace, contact, item["sk"]["S"]) if own else []
                continue
            beside = _beside_enrolments(person, contact, item)
            if beside is not None:
                triggers += [Key(self._enrolments, item["pk"]["S"], item["sk"]["S"])] if beside else []
                continue
            if item["sk"]["S"].endswith(TRIGGER):  # it stands right behind its enrolment, or alone
                triggers += [Key(self._enrolments, item["pk"]["S"], item["sk"]["S"])] if theirs else []
                continue
            theirs = _belongs(person, contact, _text(item, "started_at"))
            if theirs:
                self._exit(tombstone, item)
                cleared += 1
        return cleared + self._delete(triggers)

    def steps(self, tombstone: Tombstone, most: int) -> int:
        """Delete the steps taken, 25 a call."""
        gone, person = [], tombstone.person
        for contact in self._places(tombstone):
            with faults():
                for item in self._steps.query(f"{tombstone.workspace}#{contact}", consistent_read=True, page_size=100):
                    if _belongs(person, contact, item.at):
                        gone.append(Key(self._steps, item.pk, item.sk))
                    if len(gone) >= most:
                        return self._delete(gone)
        return self._delete(gone)

    def merges(self, tombstone: Tombstone, most: int) -> int:
        """Delete the records of merges that made this person, and of those that were taken back."""
        clearing = tombstone.clearing
        own = set(clearing.contacts) if clearing else set()
        gone: list[Key] = []
        for contact in (*sorted(own), *(clearing.related if clearing else ())):
            with faults():
                found = self._merges.query(f"{tombstone.workspace}#{contact}", consistent_read=True)
                gone += [Key(self._merges, m.pk, m.sk) for m in found if contact in own or m.absorbed in own]
        with faults():
            conflicts = self._conflicts.query(f"{tombstone.workspace}#conflicts", consistent_read=True)
            gone += [Key(self._conflicts, c.pk, c.sk) for c in conflicts if own & {c.contact, c.other}]
        return self._delete(gone[:most])

    def _places(self, tombstone: Tombstone) -> tuple[str, ...]:
        return tombstone.clearing.places if tombstone.clearing else ()

    def _delete(self, keys: Sequence[Key]) -> int:
        self._database.batch_write(deletes=keys)
        return len(keys)

    def _unerased(self, model: type[Item], tombstone: Tombstone) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Whole items as they stand, whatever is in them, that were not yet cleared; with the contact id each."""
        for contact in self._places(tombstone):
            start: Any = {}
            while start is not None:
                answer = self._database.dispatch(
                    "Query",
                    {
                        "TableName": model.Meta.table_name,
                        "KeyConditionExpression": "pk = :pk",
                        "FilterExpression": "attribute_not_exists(erased_at)",
                        "ExpressionAttributeValues": {":pk": {"S": f"{tombstone.workspace}#{contact}"}},
                        "ConsistentRead": True,
                        **({"ExclusiveStartKey": start} if start else {}),
                    },
                )
                yield from ((contact, item) for item in answer.get("Items", ()))
                start = answer.get("LastEvaluatedKey")

    def _keep_out(self, workspace: Workspace, tombstone: Tombstone, item: Mapping[str, Any]) -> None:
        address = _text(item, "address")
        if address and tombstone.clearing and tombstone.clearing.keep_out:
            channel = Channel(_text(item, "channel") or Channel.EMAIL)
            self._database.transact([self._consents.keep_out(workspace, channel, address, tombstone.erased_at)])
            self._delete(self._consents.log_keys(tombstone.workspace, address_key(workspace, address)))

    def _exit(self, tombstone: Tombstone, item: Mapping[str, Any]) -> None:
        enrolment = self._enrolment_store.entity(self._enrolments.from_raw_data(dict(item)))
        if enrolment.state is EnrolmentState.LIVE:
            self._executions.stop(enrolment.execution_arn)
        self._enrolment_store.expel(enrolment, tombstone.erased_at, ERASED)
        completed = enrolment.state is EnrolmentState.COMPLETED
        state = enrolment.state if completed else EnrolmentState.EXITED
        self._strip(self._enrolments, item, KEPT_OF_ENROLMENT, tombstone, {"state": state.value})

    def _strip(
        self,
        model: type[Item],
        item: Mapping[str, Any],
        kept: frozenset[str],
        tombstone: Tombstone,
        values: Mapping[str, str] | None = None,
    ) -> None:
        """Take every attribute out of an item but those kept, also such as nobody here has heard of."""
        setting = {**(values or {}), "erased_at": to_text(tombstone.erased_at)}
        removing = sorted(item.keys() - kept - setting.keys())
        names = {f"#s{n}": name for n, name in enumerate(setting)} | {f"#r{n}": name for n, name in enumerate(removing)}
        expression = "SET " + ", ".join(f"#s{n} = :s{n}" for n in range(len(setting)))
        if removing:
            expression += " REMOVE " + ", ".join(f"#r{n}" for n in range(len(removing)))
        try:
            self._database.dispatch(
                "UpdateItem",
                {
                    "TableName": model.Meta.table_name,
                    "Key": {"pk": item["pk"], "sk": item["sk"]},
                    "UpdateExpression": expression,
                    "ConditionExpression": "attribute_exists(pk)",
                    "ExpressionAttributeNames": names,
                    "ExpressionAttributeValues": {f":s{n}": {"S": text} for n, text in enumerate(setting.values())},
                },
            )
        except ConditionFailed:
            return


def _cause_kept(item: Mapping[str, Any]) -> dict[str, str]:
    """Of what caused a message the names that its owner gave: by them reports go on counting it where they did."""
    cause = json.loads(_text(item, "cause") or "{}")
    named = {name: cause[name] for name in CAUSE_KEPT if name in cause}
    return {"cause": json.dumps(named, separators=(",", ":"))} if named else {}


def _links_in(item: Mapping[str, Any]) -> list[str]:
    """The codes of a text message's short links."""
    return list(json.loads(_text(item, "transport") or "{}").get("links") or ())


def _text(item: Mapping[str, Any], attribute: str) -> str:
    return str(item.get(attribute, {}).get("S", ""))


def _beside_enrolments(person: Contact, contact: str, item: Mapping[str, Any]) -> bool | None:
    """Whether what stands beside enrolments goes with the person; None for an enrolment and its trigger."""
    sk = _text(item, "sk")
    if sk.startswith(WAITS):
        return _belongs(person, contact, _text(item, "since"))
    if sk.startswith(REFUSED):
        return _belongs(person, contact, _text(item, "at"))
    return contact in person.every_id if sk.startswith(ENTRIES) else None


def _belongs(person: Contact, contact: str, at: str) -> bool:
    """Whether what stands under a contact's id since an instant is the person's, merges taken back considered."""
    return not at or person.shows(contact, from_text(at))
