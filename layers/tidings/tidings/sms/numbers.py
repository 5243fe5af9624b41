"""The phone numbers that a workspace sends from and is answered on: taken over from AWS, and whose they are.

What AWS says of a number is read when it is added, and stands in the workspace from then on; adding it again reads it
anew. Showing one asks AWS too, and says where what is kept is no longer so, and what is to be done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from tidings.accounts.model import Workspace
from tidings.accounts.store import DynamoWorkspaceStore
from tidings.consent.model import Channel
from tidings.consent.rules import normalise_address
from tidings.core.errors import Conflict, InvalidInput, NotFound, Unavailable
from tidings.core.store import ConditionFailed
from tidings.sms.model import Number, Setup
from tidings.sms.number_model import ACTIVE, KINDS, Held, NumberInput, Numbers
from tidings.sms.number_store import DynamoNumberStore

NUMBERS_MOST = 50
TRIES = 5


class NumberService:
    """Adds, shows and takes away the numbers of a workspace."""

    def __init__(self, numbers: DynamoNumberStore, workspaces: DynamoWorkspaceStore, aws: Numbers, topic: str) -> None:
        self._numbers = numbers
        self._workspaces = workspaces
        self._aws = aws
        self._topic = topic

    def add(self, workspace_id: str, text: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Take a number of the account for the workspace, as AWS has it; set up at AWS first what the body asks for.

        The same again reads it anew. Raises InvalidInput, NotFound where the account has no such number, Conflict where
        it is another workspace's.
        """
        number, asked = read_number(text), read_body(body)
        held = self._held(number)
        self._require_free(workspace_id, number)
        topic = self._topic if asked.two_way and not self._is_ours(held) else ""
        changed = asked.self_managed if asked.self_managed not in (None, held.self_managed) else None
        if topic or changed is not None:
            self._aws.set_up(held, topic, changed)
            held = self._held(number)
        for _ in range(TRIES):
            workspace = self._workspace(workspace_id)
            before = Setup.of(workspace).numbers.get(number)
            if before is None and len(workspace.sms.get("numbers") or {}) >= NUMBERS_MOST:
                raise Conflict("too_many_numbers", f"A workspace has {NUMBERS_MOST} numbers at most.")
            after = self._number(number, held, asked, before)
            try:
                self._numbers.claim(workspace, number, entry_of(after))
            except ConditionFailed as error:
                if "number" in error.labels:
                    raise _taken() from error
                continue
            return self._shown(after, held)
        raise Unavailable("sms_contended", "What the workspace sends texts from kept changing.")

    def show(self, workspace_id: str, text: str) -> dict[str, Any]:
        """A number as it is kept, as AWS has it now, and what is to be done. Raises NotFound."""
        number = self._own(self._workspace(workspace_id), text)
        return self._shown(number, self._aws.show(number.number))

    def all(self, workspace_id: str) -> list[dict[str, Any]]:
        """The workspace's numbers, as they are kept; AWS is not asked."""
        numbers = Setup.of(self._workspace(workspace_id)).numbers
        return [_kept(number) for _, number in sorted(numbers.items())]

    def remove(self, workspace_id: str, text: str) -> None:
        """Give a number up: nothing leaves from it, and no answer to it is taken. AWS keeps it. Raises NotFound."""
        for _ in range(TRIES):
            workspace = self._workspace(workspace_id)
            number = self._own(workspace, text)
            try:
                self._numbers.drop(workspace, number.number)
            except ConditionFailed:
                continue
            return
        raise Unavailable("sms_contended", "What the workspace sends texts from kept changing.")

    def _number(self, number: str, held: Held, asked: NumberInput, before: Number | None) -> Number:
        """The number as it is kept from now on. What the body leaves out stays as it was."""
        kinds = asked.kinds or (before.kinds if before is not None else (KINDS[held.message_type],))
        return Number(
            number=number,
            country=held.country,
            kinds=tuple(sorted(set(kinds))),
            two_way=self._is_ours(held),
            self_managed=held.self_managed,
            pool=held.pool,
            opt_outs=held.opt_outs,
            type=held.type,
            language=asked.language or (before.language if before is not None else ""),
        )

    def _is_ours(self, held: Held) -> bool:
        return held.two_way and held.topic == self._topic

    def _held(self, number: str) -> Held:
        held = self._aws.show(number)
        if held is None:
            told = "This account has no such phone number in this region: ask for it in End User Messaging first."
            raise NotFound("unknown_number", told, "number")
        return held

    def _require_free(self, workspace_id: str, number: str) -> None:
        """That nothing is changed at AWS of a number that is another workspace's."""
        if self._numbers.workspace_of(number) not in ("", workspace_id):
            raise _taken()

    def _workspace(self, workspace_id: str) -> Workspace:
        found = self._workspaces.get(workspace_id, consistent=True)
        if found is None:
            raise NotFound("unknown_workspace", "There is no such workspace.", "workspace")
        return found

    def _own(self, workspace: Workspace, text: str) -> Number:
        found = Setup.of(workspace).numbers.get(read_number(text))
        if found is None:
            raise NotFound("unknown_number", "The workspace has no such number.", "number")
        return found

    def _shown(self, number: Number, held: Held | None) -> dict[str, Any]:
        return {**_kept(number), "todo": list(self._todo(number, held))}

    def _todo(self, number: Number, held: Held | None) -> Iterator[str]:
        """What stands in the way of sending from a number and of being answered on it, each with what to do."""
        if held is None:
            yield "AWS has this number no longer in this account and region: take it away here, or ask for it again."
            return
        if held.status != ACTIVE:
            yield f"AWS says that the number is {held.status.lower()}: it sends and receives once it is active."
        if not held.sends:
            yield "The number has no capability for SMS: nothing can leave from it."
        if not held.two_way:
            yield 'Answers are not received: add the number again with {"two_way": true}, or switch it on in AWS.'
        elif held.topic != self._topic:
            yield f'Answers go elsewhere: add it again with {{"two_way": true}}, which sends them to {self._topic}.'
        if held.two_way and not held.self_managed:
            yield "AWS answers STOP and HELP itself, by its own words and texts; Tidings obeys STOP and stays silent."
        kept = replace(number, kinds=(), language="")
        asked = NumberInput.model_construct(kinds=(), language="")
        if replace(self._number(number.number, held, asked, number), kinds=(), language="") != kept:
            yield "What AWS says has changed since the number was added: add it again, so that Tidings goes by it."


def read_number(text: str) -> str:
    """A phone number in E.164; the + may be left out. Raises InvalidInput."""
    try:
        return normalise_address(Channel.SMS, "+" + text.strip().removeprefix("+"))
    except InvalidInput as error:
        raise InvalidInput("invalid_number", "This is no phone number such as +48732100200.", "number") from error


def read_body(body: Mapping[str, Any]) -> NumberInput:
    """What a number is to be. Raises InvalidInput naming the field."""
    try:
        asked = NumberInput.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InvalidInput("invalid_number_setup", f"{field}: {first['msg']}.", field) from error
    if asked.two_way is False:
        told = "two_way can only be switched on here: take the number away, or switch it off in AWS."
        raise InvalidInput("invalid_number_setup", told, "two_way")
    return asked


def entry_of(number: Number) -> dict[str, Any]:
    """A number as the workspace keeps it; what says nothing is left out."""
    kept = {
        "country": number.country,
        "kinds": [kind.value for kind in number.kinds],
        "two_way": number.two_way,
        "self_managed": number.self_managed,
        "pool": number.pool,
        "opt_outs": number.opt_outs,
        "type": number.type,
        "language": number.language,
    }
    return {name: value for name, value in kept.items() if value}


def _kept(number: Number) -> dict[str, Any]:
    return {
        "number": number.number,
        "country": number.country,
        "kinds": sorted(kind.value for kind in number.kinds),
        "two_way": number.two_way,
        "self_managed": number.self_managed,
        "pool": number.pool,
        "opt_out_list": number.opt_outs,
        "type": number.type.lower(),
        "language": number.language,
    }


def _taken() -> Conflict:
    return Conflict("number_taken", "Another workspace has this number.", "number")
