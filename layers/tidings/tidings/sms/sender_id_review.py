"""What the machines of sender IDs call: register a wait, remind, expire, ask AWS country by country, give back.

Each step reads the record, does the one thing that it calls for, and says what is next. All may be repeated at any
point: a change is conditional on what was read, AWS is looked at before it is asked, and asked by a token of the
request's own. The machine's instants are trusted: whoever wakes a step has waited for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.conditions.durations import format_duration
from tidings.core.clock import Clock
from tidings.core.errors import Conflict, InvalidInput, NotFound, Unavailable
from tidings.core.ids import digest
from tidings.core.logs import count
from tidings.core.store import ConditionFailed
from tidings.sms.countries import Names, rule_of
from tidings.sms.model import Setup
from tidings.sms.sender_id_model import (
    ACTIVE_THERE,
    CLOSED,
    REFUSED,
    WAITING,
    Entry,
    Held,
    Machine,
    Next,
    Place,
    SenderId,
    SenderIds,
    State,
)
from tidings.sms.sender_id_rules import (
    clock_of,
    closed,
    instants,
    needs_registration,
    next_of,
    put_off,
    registering,
    settled,
    turns_of,
    waits,
)
from tidings.sms.sender_id_store import DynamoSenderIdStore

WHO = "tidings"
TRIES = 5
_END = Next("end")


class SenderIdReview:
    """Works a request off, step by step."""

    def __init__(
        self,
        senders: DynamoSenderIdStore,
        workspaces: DynamoWorkspaceStore,
        provider: SenderIds,
        machine: Machine,
        clock: Clock,
    ) -> None:
        self._senders = senders
        self._workspaces = workspaces
        self._provider = provider
        self._machine = machine
        self._clock = clock

    def wait(self, workspace: str, name: str, request: str, token: str) -> None:
        """Register the wait of a machine, so that a decision can end it; one that was decided already ends here."""
        for _ in range(TRIES):
            sender = self._senders.get(workspace, name)
            if sender is None or sender.request != request or sender.state not in WAITING:
                following = next_of(sender) if sender is not None and sender.request == request else _END
                self._machine.answer(token, following.as_dict())
                return
            registered = replace(sender, token=token, token_for=sender.state.value)
            try:
                self._senders.change(registered, self._clock.now(), None)
            except ConditionFailed:
                continue  # decided meanwhile, perhaps: look again
            return
        raise _contended()

    def tick(self, workspace: str, name: str, request: str, step: str, number: int) -> Next:
        """An instant has come: remind of what waits still, or let it expire; then the next instant."""
        for _ in range(TRIES):
            sender = self._senders.get(workspace, name)
            if sender is None or sender.request != request:
                return _END
            if sender.state.value != step or sender.reminded != number - 1:
                self._tell(sender)  # expired before, perhaps, and the machine does not know
                return clock_of(sender)
            expires = number >= len(instants(sender))
            # Counted before: a repeat counts twice, but nothing is missed.
            count("SenderIdsExpired" if expires else "SenderIdsWaiting", 1)
            after, entry = _expired(sender) if expires else _reminded(sender, number)
            try:
                after = self._senders.change(after, self._clock.now(), entry)
            except ConditionFailed:
                continue  # decided meanwhile, perhaps: look again
            self._tell(after)
            return clock_of(after)
        raise _contended()

    def work(self, workspace: str, name: str, request: str) -> Next:
        """Ask AWS about one country, or give one back; then what is next."""
        sender = self._senders.get(workspace, name)
        if sender is None or sender.request != request:
            return _END
        if sender.state in CLOSED and sender.unreleased:
            sender = self._release(sender, sender.unreleased[0])
        elif turns := turns_of(sender) if sender.state in (State.ACCEPTED, State.ACTIVE) else ():
            sender = self._ask(sender, turns[0])
        return next_of(sender) if sender.request == request else _END

    def _release(self, sender: SenderId, country: str) -> SenderId:
        """Give a name back in one country; where AWS refuses that, it is asked again after the others."""
        try:
            self._provider.release(sender.name, country)
        except InvalidInput as error:
            place = put_off(sender.places[country], error.message, self._clock.now())
            changes = {"told": place.told, "looks": place.looks, "look_at": place.look_at}
            entry = Entry("not_released", WHO, country, place.told) if _differs(sender.places[country], place) else None
            return self._changed(sender, lambda now: now.at_place(country, **changes), entry, sender.state)
        return self._changed(
            sender, lambda now: now.at_place(country, released=True), Entry("released", WHO, country), sender.state
        )

    def _ask(self, sender: SenderId, country: str) -> SenderId:
        """Ask AWS about a country, and write down what it said."""
        workspace = self._workspace(sender.workspace)
        if rule_of(country, Setup.of(workspace).countries).sender_id is Names.NOT_SUPPORTED:
            found = replace(sender.places[country], state=REFUSED, told=f"{country} takes no names as senders")
        else:
            try:
                held = self._provider.show(sender.name, country)
                if held is None and not sender.places[country].asked:
                    # Written before AWS is asked: whatever is cut short now, it is known that what AWS has is ours.
                    sender = self._changed(sender, lambda now: now.at_place(country, asked=True), None, sender.state)
                    if sender.state in CLOSED or country not in sender.places:
                        return sender  # given up meanwhile
                found = self._found(sender, country, held, workspace)
            except InvalidInput as error:  # it may not be looked at now: the others have their turn
                found = waits(sender.places[country], error.message, self._clock.now())
        entry = Entry(found.state, WHO, country, found.told) if _differs(sender.places[country], found) else None
        after = self._changed(
            sender, lambda now: settled(replace(now, places={**now.places, country: found})), entry, sender.state
        )
        if after.state is State.RETIRED and found.asked:
            # Given up while AWS was being asked: what gives names back may have come before the name was there.
            self._provider.release(sender.name, country)
        return after

    def _found(self, sender: SenderId, country: str, held: Held | None, workspace: Workspace) -> Place:
        place, now = sender.places[country], self._clock.now()
        registers = needs_registration(rule_of(country, Setup.of(workspace).countries))
        try:
            if held is None:
                token = digest("sender_id", sender.request, country)
                held = self._provider.request(sender.name, country, token, sender.workspace)
        except Conflict:
            told = "ask AWS for a higher quota of sender IDs: this account's is used up"
            return waits(replace(place, asked=False), told, now)
        except InvalidInput as error:
            # What comes there later comes by somebody's own registration, and is not ours to give back.
            place = replace(place, asked=False)
            return registering(place, "", "", now) if registers else replace(place, state=REFUSED, told=error.message)
        if not registers or held.registered:
            return replace(place, state=ACTIVE_THERE, told="", registration=held.registration, look_at="")
        status = self._provider.registration(held.registration) if held.registration else ""
        if status == "COMPLETE":
            return replace(place, state=ACTIVE_THERE, told="", registration=held.registration, look_at="")
        return registering(place, status, held.registration, now)

    def _changed(
        self, sender: SenderId, change: Callable[[SenderId], SenderId], entry: Entry | None, was: State
    ) -> SenderId:
        """Write a change, upon whatever else changed meanwhile; the record as it is then.

        Where its state is another by now somebody has given it up: then that stands, and AWS is asked to release it.
        """
        for _ in range(TRIES):
            workspace = self._workspace(sender.workspace)
            try:
                return self._senders.change(change(sender), self._clock.now(), entry, told=workspace)
            except ConditionFailed:
                newer = self._senders.get(sender.workspace, sender.name)
                if newer is None or newer.request != sender.request or (newer.state in CLOSED) != (was in CLOSED):
                    return newer or sender
                sender = newer
        raise _contended()

    def _tell(self, sender: SenderId) -> None:
        if sender.token and sender.token_for != sender.state.value:
            self._machine.answer(sender.token, next_of(sender).as_dict())

    def _workspace(self, workspace_id: str) -> Workspace:
        found = self._workspaces.get(workspace_id, consistent=True)
        if found is None:
            raise NotFound("unknown_workspace", "There is no such workspace.", "workspace")
        return found


def _reminded(sender: SenderId, number: int) -> tuple[SenderId, Entry]:
    waited = format_duration(sender.remind * number)
    return replace(sender, reminded=number), Entry("reminded", WHO, reason=f"nobody decided for {waited}")


def _expired(sender: SenderId) -> tuple[SenderId, Entry]:
    reason = f"nobody decided within {format_duration(sender.expire)}"
    return closed(replace(sender, reason=reason), State.EXPIRED), Entry("expired", WHO, reason=reason)


def _differs(before: Place, after: Place) -> bool:
    return (before.state, before.told, before.registration) != (after.state, after.told, after.registration)


def _contended() -> Unavailable:
    return Unavailable("sender_id_contended", "The sender ID kept changing.")
