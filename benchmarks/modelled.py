"""Mails to many over the modelled store: all in one process, with time, SES's rate and deaths in the model's hands.

One POST with all recipients goes through the real handlers over moto (`tests/support/world.py`). Its parts are worked
off by `deliver` in as many processes as the template lets Lambda have, what SES reports goes through `ses_events`, and
the schedules run; all take turns at each AWS call. SES takes half of what came through before. Twice every process of
`deliver` dies at one instant: the first time while one stands between its claim and SES, the second time while one has
SES's yes and has not written it down.

Time is the world's: what a call to AWS takes is assumed (below), and how long our own code takes is left out. So rate
and seconds tell nothing of AWS or of this machine; what is counted does not depend on them.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.support.recorder import Call, Killed
from tests.support.template import root_stack
from tests.support.world import World

from benchmarks.direct import shorten
from benchmarks.stage import Lane, Queue, Stage
from tidings.core.clock import SystemClock, to_text

ASSUMED_SECONDS = {"sesv2:SendEmail": (0.04, 0.12)}  # from, to
ASSUMED_OTHERS = (0.003, 0.012)
WARM_UP = 250  # one part for each process
HOURS = 3  # of the world's, until it is given up
AFTERWARDS = timedelta(minutes=6)  # what is still open then was forgotten
LATE = 0.05  # of the reports
TWICE = 0.1
LOST = 0.02  # of the Send events; the Delivery tells as much
KILLS = 2


@dataclass
class Struck:
    """One death of the sender: its processes at work, and the messages that each had claimed and not settled."""

    accepted: int  # mails that were out by then
    processes: int
    taken: list[str]  # SES had them
    untaken: list[str]  # and not these


@dataclass
class Result:
    """What a run came to: counts of recipients where nothing else is said."""

    recipients: int
    on_unknown: str
    rate: float = 0  # mails a second of the world's
    write_units: float = 0  # for one recipient, counted while that was measured
    limit: int = 0
    slowed: int = 0  # calls that SES put off
    kills: list[Struck] = field(default_factory=list)
    once: int = 0
    twice: int = 0
    without: list[str] = field(default_factory=list)  # messages that SES never had
    wrong: int = 0  # mails with somebody else's variables
    send: dict[str, Any] = field(default_factory=dict)  # as the API shows it
    states: Counter[str] = field(default_factory=Counter)  # of messages
    milestones: Counter[str] = field(default_factory=Counter)  # in the messages' histories
    report: dict[str, int] = field(default_factory=dict)
    reports: int = 0  # events of SES
    lanes: dict[str, Lane] = field(default_factory=dict)
    modelled_seconds: float = 0
    seconds: float = 0

    @property
    def untaken(self) -> list[str]:
        """The messages that a death left between claim and SES."""
        return sorted(message for struck in self.kills for message in struck.untaken)

    @property
    def calls(self) -> int:
        """All AWS calls, of everybody."""
        return sum(sum(lane.calls.values()) for lane in self.lanes.values())

    @property
    def is_right(self) -> bool:
        """Whether each got the own mail once, save whoever is held, and all that is counted says so."""
        held = len(self.untaken) if self.on_unknown == "hold" else 0
        got = self.recipients - held
        counts = {"accepted": got, **({"unknown": held} if held else {})}
        return (
            len(self.kills) == KILLS
            and (self.once, self.twice, self.wrong) == (got, 0, 0)
            and self.without == (self.untaken if held else [])
            and self.states == {"delivered": got, **({"unknown": held} if held else {})}
            and self.report == {"sent": got, "delivered": got, **({"unknown": held} if held else {})}
            and (self.send["state"], self.send["counts"]) == ("done", counts)
        )


class Model:
    """One send to many, and what befalls it."""

    def __init__(self, world: World, recipients: int, on_unknown: str, seed: int, priced: bool) -> None:
        self.world = world
        self._priced = priced
        self.result = Result(recipients, on_unknown)
        self._chance = random.Random(seed)  # noqa: S311 - chance, not a secret
        self._recent: deque[datetime] = deque()
        self._last = world.now
        self._deliveries, self._feedback = _queue_of("DeliveriesQueue"), _queue_of("FeedbackQueue")
        self._taken_in = Lane("send_email", Queue(timedelta()))
        self._lanes = _lanes(self._deliveries, self._feedback, world.now)
        world.recorder.doubles |= {
            "sesv2:SendEmail": self._send_email,
            "sqs:SendMessage": lambda told: self._put([told["MessageBody"]], told.get("DelaySeconds", 0)),
            "sqs:SendMessageBatch": lambda told: self._put([entry["MessageBody"] for entry in told["Entries"]]),
        }
        shorten(world.recorder, world.dynamodb)
        self.stage = Stage(world, self._lanes, self._seconds, self._chance)

    def run(self) -> Result:
        """Measure the rate, then send at half of it with deaths on the way."""
        result, world = self.result, self.world
        world.template("many", subject="Hello {{ variables.n }}", text="Hello.")
        world.recorder.clear()
        began = world.now
        world.recorder.priced = self._priced
        self._order("warm", min(WARM_UP, result.recipients))
        self._until_done()
        world.recorder.priced = False
        warm = len(world.ses.accepted)
        result.rate = warm / (self._last - began).total_seconds()
        result.write_units = sum(lane.write_units for lane in (self._taken_in, *self._lanes)) / warm
        for lane in (self._taken_in, *self._lanes):
            lane.calls.clear()
        result.limit, result.reports = max(1, round(result.rate / 2)), 0
        started, began = time.monotonic(), world.now
        send = self._order("many", result.recipients)
        self._until_done(send)
        result.modelled_seconds = (self._last - began).total_seconds()
        result.seconds = time.monotonic() - started
        result.lanes = {lane.name: lane for lane in (self._taken_in, *self._lanes)}
        self._look(send)
        return result

    # --- what happens -------------------------------------------------------------------------------------------------

    def _order(self, name: str, count: int) -> str:
        body = {
            "recipients": [{"email": f"{name}-{n}@people.example", "variables": {"n": n}} for n in range(count)],
            "template": "many",
            "kind": "transactional",
            "idempotency_key": name,
            "on_unknown": self.result.on_unknown,
        }
        status, answer = self.world.call("send_email", "POST /v1/emails", body)
        assert status == 202, answer
        self._taken_in.count(self.world.recorder)
        return str(answer["send"])

    def _until_done(self, send: str = "") -> None:
        """Let everything happen until nothing is left to do, and some time more; for good only if the send is done."""
        world, end = self.world, self.world.now + timedelta(hours=HOURS)
        while world.now < end:
            self.stage.run(lambda: not self.stage.busy and not self._deliveries.due() and not self._feedback.due())
            self.stage.run_for(AFTERWARDS)
            if not send or self._shown(send)["state"] == "done":
                return
        raise AssertionError(f"{send} was not done within {HOURS} hours")

    def _send_email(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """SES at its rate; the place where the sender dies."""
        world, result, now = self.world, self.result, self.world.now
        out = len(world.ses.accepted) - min(WARM_UP, result.recipients)
        dies = result.limit and len(result.kills) < KILLS and out >= result.recipients * (len(result.kills) + 1) // 3
        if dies and not result.kills:
            self._die(out)
        while self._recent and now - self._recent[0] >= timedelta(seconds=1):
            self._recent.popleft()
        if result.limit and len(self._recent) >= result.limit:
            result.slowed += 1
            world.ses.failing = ["TooManyRequestsException"]
            return world.ses.send_email(arguments)
        answer = world.ses.send_email(arguments)
        self._recent.append(now)
        self._last = now
        self._report(arguments)
        if dies:
            self._die(out + 1)
        return answer

    def _die(self, out: int) -> None:
        struck = self.stage.kill("deliver")
        open_, sent = {process.mail for process in struck if process.mail}, set(self.world.ses.messages())
        self.result.kills.append(Struck(out, len(struck), sorted(open_ & sent), sorted(open_ - sent)))
        raise Killed("deliver")

    def _report(self, mail: dict[str, Any]) -> None:
        """What SES reports of a mail: soon or late, once or twice, and not always in order; now and then no Send.

        Whatever it is, something comes within the four minutes after which a claim is given up: where nothing does,
        `on_unknown: resend` sends twice, as docs/guarantees.md says.
        """
        chance, ses = self._chance, self.world.ses
        told = ["Delivery"] if chance.random() < LOST else ["Send", "Delivery"]
        for kind in told:
            at = to_text(self.world.now)
            event = ses.event(kind, mail, **({"timestamp": at} if kind == "Delivery" else {}))
            event["mail"]["timestamp"] = at
            for _ in range(2 if chance.random() < TWICE else 1):
                wait = chance.uniform(20, 120) if chance.random() < LATE else chance.uniform(0.02, 3)
                body = {"Type": "Notification", "MessageId": self.world.fresh(), "Message": json.dumps(event)}
                self._feedback.put(body, self.world.now + timedelta(seconds=wait))
                self.result.reports += 1

    def _put(self, bodies: list[str], delay: int = 0) -> dict[str, Any]:
        for body in bodies:
            self._deliveries.put(json.loads(body), self.world.now + timedelta(seconds=delay))
        return {"Successful": [], "Failed": []}

    def _seconds(self, call: Call) -> float:
        return self._chance.uniform(*ASSUMED_SECONDS.get(call.name, ASSUMED_OTHERS))

    # --- what came of it ----------------------------------------------------------------------------------------------

    def _look(self, send: str) -> None:
        """Count at SES, in the messages, in the report and in the send."""
        result, world = self.result, self.world
        got = Counter(mail["Destination"]["ToAddresses"][0] for mail in world.ses.accepted)
        everybody = [f"many-{n}@people.example" for n in range(result.recipients)]
        result.once = sum(got[address] == 1 for address in everybody)
        result.twice = sum(got[address] > 1 for address in everybody)
        result.wrong = sum(not _is_right(mail) for mail in world.ses.accepted)
        items = [item for item in world.items("TABLE_MESSAGES") if item["send"]["S"] == send]
        result.states = Counter(item["state"]["S"] for item in items)
        result.milestones = Counter(name for item in items for name in item["history"]["M"])
        sent = set(world.ses.messages())
        result.without = sorted(found for item in items if (found := item["sk"]["S"].split("#")[-1]) not in sent)
        result.send = self._shown(send)
        query = {"send": send, "by": "source"}
        status, answer = world.call("reports", "GET /v1/reports/email", query=query)
        assert status == 200, answer
        result.report = {name: number for name, number in answer["totals"]["counts"].items() if number}

    def _shown(self, send: str) -> dict[str, Any]:
        with self.world.recorder.unseen():
            status, answer = self.world.call("sends", "GET /v1/sends/{send}", path={"send": send})
        assert status == 200, answer
        return answer


def told(result: Result) -> list[str]:
    """A run in words."""
    deliver = result.lanes["deliver"]
    deaths = [
        f"{struck.accepted:,} were out: {struck.processes} processes of deliver died at once. Of the messages "
        f"that they held SES had {len(struck.taken)}, and not {len(struck.untaken)}."
        for struck in result.kills
    ]
    return [
        f"on_unknown: {result.on_unknown}. {result.rate:.1f} mails a second of the model's came through; SES takes "
        f"{result.limit} a second from here on.",
        *deaths,
        f"{result.send['state']} after {result.modelled_seconds:.0f} s of the model's, {result.seconds:.0f} s of ours: "
        f"{result.send['counts']}",
        f"{result.once:,} got it once, {result.twice} more than once, {len(result.without)} not.",
        f"Messages: {dict(result.states)}. Report: {result.report}.",
        f"SES put off {result.slowed:,} calls and reported {result.reports:,} times. A part was received "
        f"{deliver.received} times at most; no call of deliver took more than {deliver.longest:.0f} s.",
        f"A recipient took {result.calls / result.recipients:.1f} AWS calls and {result.write_units:.1f} write units, "
        "feedback and schedules included.",
        "All counts agree." if result.is_right else "SOMETHING IS WRONG.",
    ]


@contextmanager
def model(
    world: World, recipients: int, on_unknown: str = "resend", seed: int = 1, priced: bool = True
) -> Iterator[Model]:
    """A model whose clock and threads end with the context; `priced` says whether write units are counted."""
    made = Model(world, recipients, on_unknown, seed, priced)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SystemClock, "sleep", lambda _, seconds: made.stage.sleep(seconds))
        try:
            yield made
        finally:
            made.stage.close()


def _lanes(deliveries: Queue, feedback: Queue, now: datetime) -> list[Lane]:
    """Everybody who works on mails, as the template wakes them: the schedules too."""
    stack = root_stack()
    wakes, hears = (stack.resources[name]["Properties"] for name in ("DeliverWakes", "SesEventsWakes"))
    minutes, fives = Queue(timedelta(hours=HOURS)), Queue(timedelta(hours=HOURS))
    for minute in range(1, 2 * HOURS * 60):
        minutes.put({"source": "aws.events"}, now + timedelta(minutes=minute))
    for minute in range(5, 2 * HOURS * 60, 5):
        fives.put({"source": "aws.events"}, now + timedelta(minutes=minute))
    width = wakes["ScalingConfig"]["MaximumConcurrency"]
    return [
        Lane("deliver", deliveries, width, wakes["BatchSize"]),
        Lane("ses_events", feedback, 2, hears["BatchSize"]),
        Lane("settle_messages", minutes, wrapped=False),
        Lane("deliver", fives, wrapped=False, name="deliver, by schedule"),
    ]


def _queue_of(name: str) -> Queue:
    properties = root_stack().nested("Messaging").resources[name]["Properties"]
    return Queue(timedelta(seconds=properties["VisibilityTimeout"]))


def _is_right(mail: dict[str, Any]) -> bool:
    number = mail["Destination"]["ToAddresses"][0].partition("@")[0].partition("-")[2]
    return bool(mail["Content"]["Simple"]["Subject"]["Data"] == f"Hello {number}")
