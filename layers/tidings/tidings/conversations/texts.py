"""What becomes of a text that somebody wrote to one of our numbers, in this order.

1. STOP and START are obeyed, before anything else is looked for: by the number that wrote, whoever has it.
2. The message is taken in: its contact, its conversation, the message that it answers, its event.
3. It is answered, if it means something that is answered, and AWS's opt-out lists follow the person's last word. A STOP
   is confirmed before AWS hears of it, since AWS takes no message to whom it listed; a START afterwards.

Each step may be repeated, and a repeat does what is missing. Should 3 fail, 1 and 2 stand.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from tidings.accounts.cache import WorkspaceCache
from tidings.accounts.model import Workspace
from tidings.activity.chain import Node
from tidings.consent.model import Answered, Channel, Word
from tidings.consent.stopping import Standing, StopService
from tidings.contacts.model import Identity, IdentityKind
from tidings.contacts.service import ContactDirectory
from tidings.conversations.model import Attachment, Inbound, Taken
from tidings.conversations.telling import event_id
from tidings.core.errors import NotFound, TidingsError, Unavailable
from tidings.sms.answers import Answers, Asked, answers
from tidings.sms.inbound import Text
from tidings.sms.model import Number, Setup
from tidings.sms.number_store import NumberCache
from tidings.sms.opt_outs import OptOutMirror
from tidings.sms.wording import language_at
from tidings.sms.words import Match, match

RECEIVED = "SMS Received"


class Taking(Protocol):
    """Where messages of every channel are taken in."""

    def take(self, inbound: Inbound) -> Taken:
        """Store a message that came in; a repeat changes nothing."""


class TextDesk:
    """Takes texts in."""

    def __init__(
        self,
        numbers: NumberCache,
        workspaces: WorkspaceCache,
        stops: StopService,
        intake: Taking,
        directory: ContactDirectory,
        answering: Answers,
        mirror: OptOutMirror,
    ) -> None:
        self._numbers = numbers
        self._workspaces = workspaces
        self._stops = stops
        self._intake = intake
        self._directory = directory
        self._answering = answering
        self._mirror = mirror

    def take(self, text: Text) -> Taken:
        """Take a text in, and do what it says.

        Raises NotFound for a number of ours that is no workspace's, InvalidInput for a sender that is no phone number,
        Throttled or Unavailable where something is to be repeated.
        """
        workspace, number = self._whose(text)
        setup = Setup.of(workspace)
        found = match(setup, number, text.body, language_at(number) if setup.keywords else "")
        standing = self._obey(workspace, text, found)
        taken = self._intake.take(inbound_of(workspace, text, found))
        if not taken.contact:
            return taken  # who wrote it was erased since
        if found.meaning:
            self._act(workspace, number, text, found, standing, taken)
        return taken

    def _whose(self, text: Text) -> tuple[Workspace, Number]:
        found = self._numbers.workspace_of(text.to)
        if not found:
            raise NotFound("unknown_number", "No workspace has the number that this text came to.", "number")
        workspace = self._workspaces.get(found)
        number = Setup.of(workspace).numbers.get(text.to)
        if number is None:
            raise Unavailable("number_unsettled", "The number came to its workspace within the last minute.")
        return workspace, number

    def _obey(self, workspace: Workspace, text: Text, found: Match) -> Standing | None:
        if found.ordered is None:
            return None
        answered = Answered(found.ordered, text.at, text.id, text.to)
        return self._stops.say(workspace, Channel.SMS, text.sender, answered, text.body)

    def _act(
        self, workspace: Workspace, number: Number, text: Text, found: Match, standing: Standing | None, taken: Taken
    ) -> None:
        """Tell, answer and mirror what a text means. The first error is raised once everything was tried."""
        steps: list[Callable[[], object]] = []
        if standing in (None, Standing.BEGAN) and answers(number, found):
            steps.append(lambda: self._answer(workspace, number, text, found, taken))
        if standing in (Standing.BEGAN, Standing.STANDS):
            mirror = 0 if found.ordered is Word.START else len(steps)
            lists = lists_of(Setup.of(workspace), number)
            steps[mirror:mirror] = [partial(self._mirror.follow, workspace, one, text.sender) for one in lists]
        if standing is Standing.BEGAN:
            steps.insert(0, lambda: self._tell(workspace, text, found, taken))
        failed: TidingsError | None = None
        for step in steps:
            try:
                step()
            except TidingsError as error:
                failed = failed or error
        if failed is not None:
            raise failed

    def _tell(self, workspace: Workspace, text: Text, found: Match, taken: Taken) -> None:
        assert found.ordered is not None  # noqa: S101 - only STOP and START stand
        sharing = self._directory.with_address(workspace.id, IdentityKind.PHONE, text.sender)
        answered = Answered(found.ordered, text.at, text.id, text.to)
        self._stops.tell(workspace, Channel.SMS, text.sender, answered, {taken.contact, *sharing})

    def _answer(self, workspace: Workspace, number: Number, text: Text, found: Match, taken: Taken) -> None:
        try:
            contact = self._directory.get(workspace.id, taken.contact)
        except NotFound:
            return  # they were erased meanwhile
        cause = Node.event(str(Identity(IdentityKind.CONTACT, taken.contact)), event_id(Channel.SMS, text.id))
        asked = Asked(text, found, contact, taken.contact, taken.conversation, cause)
        self._answering.send(workspace, number, asked)


def lists_of(setup: Setup, number: Number) -> list[str]:
    """AWS's opt-out lists of a workspace's numbers, that of a number first: a word holds for all of them."""
    return list(dict.fromkeys([number.opt_outs, *sorted(one.opt_outs for one in setup.numbers.values())]))


def inbound_of(workspace: Workspace, text: Text, found: Match) -> Inbound:
    """A text as all channels hand over what came in."""
    files = tuple(Attachment(one.name, one.type, one.size, one.place) for one in text.files)
    return Inbound(
        workspace=workspace,
        channel=Channel.SMS,
        sender=text.sender,
        to=text.to,
        provider_id=text.id,
        at=text.at,
        text=text.body,
        event=RECEIVED,
        answers=text.answers,
        properties={
            "keyword": found.word,
            "meaning": found.meaning,
            **({"more": text.more} if text.more else {}),
        },
        attachments=files,
    )
