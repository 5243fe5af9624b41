"""Every operation whose AWS calls are counted: how it comes about, and the one step that is measured.

Caches are warm unless the operation's name says otherwise: the function has seen its API key, its automations and its
templates before.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from moto import mock_aws
from tests.support import fast
from tests.support.machine import Execution
from tests.support.recorder import Recorder
from tests.support.world import REGION, ROOT, World

from benchmarks.samples import COMPANY, PROPERTIES, TRAITS, from_browser, from_python, of_page
from tidings.automations.definition.source import read as read_source
from tidings.automations.enrolments.model import EnrolmentParked

Step = Callable[[], Any]
Preparation = Callable[[World], Step]

TEMPLATE = "welcome-tips"
# As long as those of SES: the id stands in the message's item, whose size counts.
SES_ID = "0100019aa5f3c1d2-6f1f9b1c-8d0e-4a52-9d3b-0c5a3e1d7f20-000000"
WELCOME: dict[str, Any] = {
    "automation": "welcome",
    "trigger": {"event": "Signed Up"},
    "start": "active",
    "components": {
        "active": {
            "type": "branch",
            "arms": [{"name": "yes", "when": {"did": "Project Created", "since": "enrolment"}, "next": "by_plan"}],
            "otherwise": "by_plan",
        },
        "by_plan": {
            "type": "branch",
            "arms": [{"name": "team", "when": {"trait": "plan", "is": "team"}, "next": "reachable"}],
            "otherwise": "reachable",
        },
        "reachable": {"type": "check_suppression", "channel": "email", "clear": "tips", "suppressed": "tips"},
        "tips": {"type": "send_email", "template": TEMPLATE, "next": "pause"},
        "pause": {"type": "wait", "for": "1 day", "next": "late"},
        "late": {"type": "send_email", "template": TEMPLATE},
    },
}


@dataclass(frozen=True)
class Cost:
    """What one step cost: its AWS calls by name, and DynamoDB's units."""

    calls: dict[str, int]
    write_units: float
    read_units: float

    @property
    def all_calls(self) -> int:
        """How many calls there were."""
        return sum(self.calls.values())

    def as_dict(self) -> dict[str, Any]:
        """The cost for a JSON file."""
        return {"calls": self.calls, "write_units": self.write_units, "read_units": self.read_units}


@dataclass(frozen=True)
class Operation:
    """One row: its group and name, and what prepares it."""

    group: str
    name: str
    prepare: Preparation


OPERATIONS: list[Operation] = []


def operation(group: str, name: str) -> Callable[[Preparation], Preparation]:
    """Name a preparation as an operation of a group."""

    def add(prepare: Preparation) -> Preparation:
        OPERATIONS.append(Operation(group, name, prepare))
        return prepare

    return add


@contextmanager
def worlds() -> Iterator[Callable[[], Any]]:
    """A maker of fresh worlds, each a context of its own."""

    @contextmanager
    def fresh() -> Iterator[World]:
        recorder = Recorder()
        with pytest.MonkeyPatch.context() as patch, mock_aws(), recorder.listening():
            yield World(recorder, patch)

    with pytest.MonkeyPatch.context() as patch, fast.sharing():
        for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
            patch.setenv(name, REGION)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        yield fresh


def cost_of(world: World, prepare: Preparation) -> Cost:
    """Prepare a step, take it, and count what it called."""
    step = prepare(world)
    recorder = world.recorder
    recorder.clear()
    recorder.priced = True
    step()
    recorder.priced = False
    names = Counter(call.name for call in recorder.calls)
    units = [(call.write_units, call.read_units) for call in recorder.calls]
    return Cost(dict(names), sum(write for write, _ in units), sum(read for _, read in units))


# --- helpers ----------------------------------------------------------------------------------------------------------


def must(answer: tuple[int, Any]) -> Any:
    """The body of an answer that must be a success."""
    status, body = answer
    assert 200 <= status < 300, body
    return body


def tell(world: World, message: dict[str, Any]) -> None:
    """Send a call and let everything happen that it sets off."""
    must(world.ingest(message["type"], message))
    world.pump()


def example(name: str) -> dict[str, Any]:
    """An example as the command line sends it."""
    return read_source((ROOT / "examples" / f"{name}.yaml").read_text())


def known(world: World, user: str, **traits: Any) -> str:
    """Make somebody known; the contact's id."""
    address = {"email": f"{user}@people.example"}
    tell(world, from_python("identify", user, traits={**TRAITS, **address, **traits}))
    return str(world.contact(user_id=user)["contact"])


def told(world: World, *messages: dict[str, Any]) -> Step:
    """React's step for calls that were just stored."""
    for message in messages:
        must(world.ingest(message["type"], message))
    records = world.new_records()

    def step() -> None:
        answer = world.invoke("react", {"Records": records})
        assert answer == {"batchItemFailures": []}, answer

    return step


def automated(world: World) -> None:
    """Publish the automation and its template, and let the functions see them."""
    accept = world.ses.send_email
    world.recorder.doubles["sesv2:SendEmail"] = lambda mail: {**accept(mail), "MessageId": SES_ID}
    world.template(TEMPLATE, **example(f"templates/{TEMPLATE}"))
    world.automation(WELCOME)
    known(world, "warm")
    tell(world, from_python("track", "warm", event="Signed Up", properties=PROPERTIES))
    world.run(timedelta(days=2))


class _Asked(Exception):
    """A machine asked for a Task."""


def at(world: World, component: str, user: str = "ada", **traits: Any) -> Step:
    """The Task of a component for somebody who has just come to it."""
    automated(world)
    known(world, user, **traits)
    tell(world, from_python("track", user, event="Signed Up", properties=PROPERTIES))
    execution = list(world.executions.values())[-1]
    while execution.state != component:
        execution.step(world.task)
        world.pump()
    asked: list[tuple[str, dict[str, Any]]] = []

    def ask(arn: str, payload: dict[str, Any]) -> dict[str, Any]:
        asked.append((arn, payload))
        raise _Asked

    with pytest.raises(_Asked):
        execution.step(ask)
    return lambda: world.task(*asked[0])


def sent(world: World) -> dict[str, Any]:
    """A mail that SES accepted."""
    at(world, "tips")()
    return world.ses.accepted[-1]


# --- ingest -----------------------------------------------------------------------------------------------------------


def _ingest(world: World, message: dict[str, Any]) -> Step:
    kind, key = message["type"], "publishable" if "userAgent" in message["context"] else "write"
    must(world.ingest(kind, {**message, "messageId": "warm"}, key))
    return lambda: must(world.ingest(kind, message, key))


@operation("ingest", "track from a server")
def track(world: World) -> Step:
    """A small event."""
    return _ingest(world, from_python("track", "u-7", event="Project Created", properties=PROPERTIES))


@operation("ingest", "track from a browser")
def track_from_browser(world: World) -> Step:
    """An event with all that a browser tells."""
    return _ingest(world, from_browser("track", "u-7", event="Project Created", properties=PROPERTIES))


@operation("ingest", "track, repeated")
def track_repeated(world: World) -> Step:
    """The same message id again."""
    step = track(world)
    step()
    return step


@operation("ingest", "identify from a server")
def identify(world: World) -> Step:
    """A few traits."""
    return _ingest(world, from_python("identify", "u-7", traits=TRAITS))


@operation("ingest", "identify from a browser")
def identify_from_browser(world: World) -> Step:
    """A few traits with all that a browser tells."""
    return _ingest(world, from_browser("identify", "u-7", traits=TRAITS))


def _calls(origin: str) -> dict[str, dict[str, Any]]:
    """What else there is to report, from a server or a browser."""
    make = {"server": from_python, "browser": from_browser}[origin]
    return {
        "page": of_page(make("page", "u-7", name="Pricing", properties={"name": "Pricing"})),
        "screen": make("screen", "u-7", name="Home", properties=PROPERTIES),
        "group": make("group", "u-7", groupId="g-1", traits=COMPANY),
        "ungroup": make("ungroup", "u-7", groupId="g-1"),
        "alias": make("alias", "u-7", previousId="6f1f9b1c-8d0e-4a52-9d3b-0c5a3e1d7f20"),
    }


def other_call(kind: str, origin: str) -> Preparation:
    """A page, screen, group, ungroup or alias call."""
    return lambda world: _ingest(world, _calls(origin)[kind])


for _kind in _calls("server"):
    for _origin in ("server", "browser"):
        operation("ingest", f"{_kind} from a {_origin}")(other_call(_kind, _origin))


@operation("ingest", "settings for the browser SDK")
def settings(world: World) -> Step:
    """What a page asks before it reports."""
    path = {"writeKey": world.keys["publishable"]}

    def step() -> None:
        must(world.call("settings", "GET /v1/projects/{writeKey}/settings", key=None, path=path))

    step()
    return step


def batch(size: int) -> Preparation:
    """A batch of events of one person."""

    def prepare(world: World) -> Step:
        must(world.ingest("batch", {"batch": []}))
        # As small as 2,500 must be to stay below the 500 KB of a batch.
        events = [{"type": "track", "userId": "u-7", "event": "Viewed", "messageId": f"m-{n}"} for n in range(size)]
        body = {"batch": events, "sentAt": "2026-11-21T08:59:59.102311+00:00"}
        return lambda: must(world.ingest("batch", body))

    return prepare


for _size in (25, 250, 2500):
    operation("ingest", f"batch of {_size:,}")(batch(_size))


# --- forms ------------------------------------------------------------------------------------------------------------

MAIL, PHONE = "ada@people.example", "+48600100200"


def formed(*before: dict[str, Any], **last: Any) -> Preparation:
    """A form after others, each given its traits."""

    def prepare(world: World) -> Step:
        for number, traits in enumerate(({"country": "PL"}, *before)):
            submit(world, messageId=f"earlier-{number}", traits=traits)
        world.now += timedelta(seconds=1)
        return lambda: submit(world, messageId="last", **last)

    return prepare


def submit(world: World, **form: Any) -> None:
    """Submit a form with a write key."""
    must(world.call("forms", "POST /v1/forms", {"form": "newsletter", **form}, "write"))


BOTH = {"email": MAIL, "phone": PHONE, "name": "Ada"}
form_new = operation("forms", "somebody new, e-mail")(formed(traits={"email": MAIL, "name": "Ada"}))
form_new_both = operation("forms", "somebody new, e-mail and phone")(formed(traits=BOTH))
form_visitor = operation("forms", "somebody new, whose browser is known by an id")(
    formed(traits={"email": MAIL, "name": "Ada"}, anonymousId="a-9")
)
form_known = operation("forms", "somebody known by e-mail")(
    formed({"email": MAIL, "name": "Ada"}, traits={"email": MAIL, "city": "Gdynia"})
)
form_known_both = operation("forms", "somebody known by e-mail and phone")(
    formed(BOTH, traits={**BOTH, "city": "Gdynia"})
)
form_conflict = operation("forms", "two contacts match")(
    formed({"email": MAIL, "name": "Ada"}, {"phone": PHONE, "name": "Bob"}, traits=BOTH)
)
form_nobody = operation("forms", "nobody is named")(formed(traits={"birthday": "1990-01-01"}))


@operation("forms", "the same form again")
def form_repeated(world: World) -> Step:
    """It finds its contact, and its write is refused."""
    step = formed(traits={"email": MAIL, "name": "Ada"})(world)
    step()
    return step


# --- react ------------------------------------------------------------------------------------------------------------


def events_of(*users: str, each: int = 1, kind: Callable[..., dict[str, Any]] = from_python) -> Preparation:
    """Events that nobody listens to, of people who are known, in one batch of the stream."""

    def prepare(world: World) -> Step:
        automated(world)
        for user in users:
            must(world.ingest("identify", from_python("identify", user, traits=TRAITS)))
            must(world.ingest("track", kind("track", user, event="Viewed")))
        world.pump()
        world.now += timedelta(seconds=1)
        return told(world, *(kind("track", user, n, event="Viewed") for user in users for n in range(1, each + 1)))

    return prepare


CROWD = tuple(f"person-{number}" for number in range(25))

operation("react", "event nobody listens to")(events_of("ada"))
operation("react", "the same from a browser, with both ids")(events_of("ada", kind=from_browser))
operation("react", "25 events of one contact nobody listens to")(events_of("ada", each=25))
operation("react", "25 events of 25 contacts nobody listens to")(events_of(*CROWD))


@operation("react", "identify of a known contact")
def identify_known(world: World) -> Step:
    """A trait changes."""
    automated(world)
    known(world, "ada")
    world.now += timedelta(seconds=1)
    later = "2026-11-21T09:00:00.520417+00:00"
    return told(world, from_python("identify", "ada", 1, traits={**TRAITS, "plan": "business"}, timestamp=later))


@operation("react", "identify of a new contact")
def identify_new(world: World) -> Step:
    """Somebody nobody knew, with an e-mail address."""
    automated(world)
    return told(world, from_python("identify", "ada", traits=TRAITS))


@operation("react", "identify of a new contact, with both ids")
def identify_new_from_browser(world: World) -> Step:
    """The same from a browser."""
    automated(world)
    return told(world, from_browser("identify", "ada", traits=TRAITS))


@operation("react", "event of a new anonymous visitor")
def visitor(world: World) -> Step:
    """A device nobody knew."""
    automated(world)
    return told(world, from_browser("track", "", event="Viewed"))


@operation("react", "event that enrols")
def enrolment(world: World) -> Step:
    """The trigger of an automation; the event says something that conditions may ask for."""
    automated(world)
    known(world, "ada")
    world.now += timedelta(seconds=1)
    return told(world, from_python("track", "ada", event="Signed Up", properties=PROPERTIES))


@operation("react", "event that enrols, without properties")
def enrolment_without_properties(world: World) -> Step:
    """The trigger of an automation; the event says nothing more."""
    automated(world)
    known(world, "ada")
    world.now += timedelta(seconds=1)
    return told(world, from_python("track", "ada", event="Signed Up"))


@operation("react", "event that enrols, repeated")
def enrolment_repeated(world: World) -> Step:
    """The stream delivers the trigger a second time."""
    step = enrolment(world)
    step()
    return step


def ruled(world: World, **rules: Any) -> Step:
    """Somebody who did it once does it again, where an automation has rules of its own for that."""
    automated(world)
    world.automation({**WELCOME, "automation": "ruled", "trigger": {"event": "Ordered"}, **rules})
    known(world, "ada")
    for user, number in (("warm", 1), ("warm", 2), ("ada", 1)):
        world.now += timedelta(seconds=1)
        tell(world, from_python("track", user, number, event="Ordered", properties=PROPERTIES))
    world.now += timedelta(seconds=1)
    return told(world, from_python("track", "ada", 2, event="Ordered", properties=PROPERTIES))


@operation("react", "event that enrols, where entries are counted")
def enrolment_counted(world: World) -> Step:
    """The automation takes somebody in so many times."""
    return ruled(world, reentry={"at_most": 5})


@operation("react", "event that enrols for each value of a property, where entries and ways are counted")
def enrolment_counted_per_value(world: World) -> Step:
    """So many times for each value, and so many at once."""
    return ruled(world, reentry={"per": "plan", "at_most": 5, "parallel": 5})


@operation("react", "event that a trigger's condition refuses")
def refused_by_condition(world: World) -> Step:
    """Why is kept."""
    return ruled(world, trigger={"event": "Ordered", "where": {"trait": "plan", "is": "none"}})


@operation("react", "event that is refused, since they entered once")
def refused_by_once(world: World) -> Step:
    """Why is kept."""
    return ruled(world, reentry="once")


@operation("react", "event that is refused, since they entered lately")
def refused_by_count(world: World) -> Step:
    """Why is kept."""
    return ruled(world, reentry={"interval": "1 day"})


@operation("react", "event that is refused, since they are in it already")
def refused_by_ways(world: World) -> Step:
    """It is looked at first whether they still are; why is kept."""
    return ruled(world, reentry={"parallel": 1})


AWAITING: dict[str, Any] = {
    "automation": "awaiting",
    "trigger": {"event": "Booking Requested"},
    "start": "ask",
    "components": {
        "ask": {"type": "send_email", "template": TEMPLATE, "next": "answer"},
        "answer": {
            "type": "wait_for",
            "arms": [{"name": "yes", "event": "Answered", "where": {"property": "meaning", "is": "confirm"}}],
            "timeout": "2 days",
        },
    },
}


def asked(world: World) -> Execution:
    """Somebody who was asked something, right before they begin to wait for their answer."""
    automated(world)
    world.automation(AWAITING)
    tell(world, from_python("track", "warm", 1, event="Booking Requested"))
    world.run()
    tell(world, from_python("track", "warm", 2, event="Answered", properties={"meaning": "confirm"}))
    known(world, "ada")
    tell(world, from_python("track", "ada", 1, event="Booking Requested"))
    execution = list(world.executions.values())[-1]
    execution.step(world.task, world.now)
    world.pump()
    world.now += timedelta(seconds=1)
    return execution


@operation("react", "event that wakes whoever waits for it")
def waking(world: World) -> Step:
    """They are inside of the version that is live, and go by one id."""
    asked(world).step(world.task, world.now)
    tell(world, from_python("track", "ada", 2, event="Viewed"))
    world.now += timedelta(seconds=1)
    return told(world, from_python("track", "ada", 3, event="Answered", properties={"meaning": "confirm"}))


def _visiting(world: World, number: int) -> dict[str, Any]:
    """A page that a link of Ada's last mail opened, as her server tells it."""
    page = {"url": f"https://acme.example/tips?tid={world.ses.messages()[-1]}"}
    at = world.now.isoformat()
    return from_python("track", "ada", number, event="Viewed", context={"page": page}, timestamp=at)


@operation("react", "visit from a link in a mail")
def visit(world: World) -> Step:
    """Somebody follows a link."""
    sent(world)
    world.now += timedelta(minutes=1)
    return told(world, _visiting(world, 1))


@operation("react", "event that follows a visit")
def follower(world: World) -> Step:
    """Nobody listens to it, but a mail led to it."""
    sent(world)
    world.now += timedelta(minutes=1)
    tell(world, _visiting(world, 1))
    world.now += timedelta(minutes=1)
    return told(world, from_python("track", "ada", 2, event="Viewed", timestamp=world.now.isoformat()))


# --- machines ---------------------------------------------------------------------------------------------------------


@operation("machine", "branch on traits")
def branch_on_traits(world: World) -> Step:
    """Nothing to be read but what stands around the step."""
    return at(world, "by_plan")


@operation("machine", "branch on events")
def branch_on_events(world: World) -> Step:
    """One query for each identity under which events stand."""
    return at(world, "active")


@operation("machine", "branch, repeated")
def branch_repeated(world: World) -> Step:
    """The machine asks again."""
    step = at(world, "by_plan")
    step()
    return step


@operation("machine", "wait_for, begins")
def wait_begins(world: World) -> Step:
    """What was asked is remembered, and its message is looked at for when it went."""
    execution = asked(world)
    return lambda: execution.step(world.task, world.now)


@operation("machine", "wait_for, in vain")
def wait_ends(world: World) -> Step:
    """The time is over, and nothing came."""
    execution = asked(world)
    execution.step(world.task, world.now)
    world.now += timedelta(days=2)
    execution.step(world.task, world.now)
    return lambda: execution.step(world.task, world.now)


@operation("machine", "check_suppression")
def check_task(world: World) -> Step:
    """The step that only asks."""
    return at(world, "reachable")


@operation("machine", "send_email, sent")
def send_sent(world: World) -> Step:
    """A mail goes out."""
    return at(world, "tips")


@operation("machine", "send_email, sent, last step")
def send_last(world: World) -> Step:
    """A mail goes out and the automation is over."""
    return at(world, "late")


@operation("machine", "send_email, skipped")
def send_skipped(world: World) -> Step:
    """The address is suppressed."""
    suppress(world, "ada@people.example")
    return at(world, "tips")


@operation("machine", "send_email, repeated")
def send_repeated(world: World) -> Step:
    """The machine asks again."""
    step = at(world, "tips")
    step()
    return step


@operation("machine", "any component, parked")
def parked(world: World) -> Step:
    """The automation is wholly paused."""
    step = at(world, "tips")
    path = {"name": "welcome", "action": "pause"}
    must(world.call("automations", "POST /v1/automations/{name}/{action}", {"what": "all"}, path=path))

    def park() -> None:
        with pytest.raises(EnrolmentParked):
            step()

    return park


@operation("machine", "send_email, cold")
def send_cold(world: World) -> Step:
    """A new process has to read the version of the automation first."""
    step = at(world, "tips")
    world.cold("send_email")
    return step


# --- API --------------------------------------------------------------------------------------------------------------


def suppress(world: World, address: str) -> dict[str, Any]:
    """Put an address on the suppression list by hand."""
    path = {"channel": "email", "address": address}
    body: dict[str, Any] = must(world.call("suppressions", "PUT /v1/suppressions/{channel}/{address}", path=path))
    return body


def _warm(step: Step) -> Step:
    step()
    return step


@operation("API", "check_suppression")
def check_api(world: World) -> Step:
    """May this address be written to?"""
    body = {"channel": "email", "address": "ada@people.example"}
    return _warm(lambda: must(world.call("check_suppression", "POST /v1/suppressions/check", body)))


@operation("API", "send an e-mail")
def send_api(world: World) -> Step:
    """A transactional mail to a known contact."""
    automated(world)
    contact = known(world, "ada")

    def step(key: str = "order-1") -> None:
        body = {"to": {"contact": contact}, "template": TEMPLATE, "idempotency_key": key, "kind": "transactional"}
        must(world.call("send_email", "POST /v1/emails", body))

    step("warm")
    return step


@operation("API", "suppress an address")
def suppress_api(world: World) -> Step:
    """By hand; somebody has the address, so that it stands on a timeline."""
    known(world, "ada")
    suppress(world, "warm@people.example")
    return lambda: suppress(world, "ada@people.example")


def read(route: str, **query: str) -> Preparation:
    """A question about a contact with some history: two identities, four events, one mail, one enrolment."""

    def prepare(world: World) -> Step:
        at(world, "tips")()
        for number in range(2):
            tell(world, from_browser("track", "ada", number, event="Viewed"))
        contact = world.contact(user_id="ada")["contact"]
        path = {"contact": contact} if "{contact}" in route else {}
        return _warm(lambda: must(world.call("contacts", route, path=path, query=query)))

    return prepare


operation("API", "contact by user id")(read("GET /v1/contacts", user_id="ada"))
operation("API", "contact by e-mail")(read("GET /v1/contacts", email="ada@people.example"))
operation("API", "contacts by a name")(read("GET /v1/contacts", name="ada"))
operation("API", "contacts, the first page of few")(read("GET /v1/contacts"))
operation("API", "people counted")(read("GET /v1/contacts/counts"))
operation("API", "timeline")(read("GET /v1/contacts/{contact}/timeline"))
operation("API", "messages of a contact")(read("GET /v1/contacts/{contact}/messages"))
operation("API", "enrolments of a contact")(read("GET /v1/contacts/{contact}/enrolments"))


@operation("API", "edit a contact")
def edit_api(world: World) -> Step:
    """A trait that messages do not go to."""
    path = {"contact": known(world, "ada")}

    def step(seats: int = 2) -> None:
        body = {"traits": {"seats": seats}}
        must(world.call("change_contacts", "PATCH /v1/contacts/{contact}", body, path=path))

    step(1)
    return step


# --- feedback and settling --------------------------------------------------------------------------------------------

TO = "ada@people.example"
FEEDBACK: dict[str, dict[str, Any]] = {
    "Send": {},
    "Delivery": {"recipients": [TO], "processingTimeMillis": 812, "smtpResponse": "250 2.6.0 Message received"},
    "Open": {"ipAddress": "203.0.113.9", "userAgent": "Mozilla/5.0 (Windows NT 5.1) GmailImageProxy"},
    "Click": {"ipAddress": "203.0.113.9", "userAgent": "Mozilla/5.0", "link": "https://acme.example", "linkTags": None},
    "Bounce": {
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "bouncedRecipients": [{"emailAddress": TO}],
        "feedbackId": "0100019",
    },
    "Complaint": {"complainedRecipients": [{"emailAddress": TO}], "complaintFeedbackType": "abuse", "feedbackId": "01"},
    "DeliveryDelay": {"delayType": "MailboxFull", "delayedRecipients": [{"emailAddress": TO}]},
    "Reject": {"reason": "Bad content"},
}


def feedback(kind: str) -> Preparation:
    """SES reports something about a mail that it accepted."""

    def prepare(world: World) -> Step:
        notification = world.ses.event(kind, sent(world), **FEEDBACK[kind])
        notification["mail"]["messageId"] = SES_ID
        return lambda: world.feedback(notification, pump=False)

    return prepare


for _kind in FEEDBACK:
    operation("feedback", _kind)(feedback(_kind))


@operation("settling", "an execution that ended")
def settle_execution(world: World) -> Step:
    """EventBridge tells that an execution is over."""
    automated(world)
    arn, given = list(world.started.items())[-1]
    detail = {"executionArn": arn, "status": "SUCCEEDED", "input": given}
    return lambda: world.invoke("settle_executions", {"detail": detail})


@operation("settling", "claims, none of them old")
def settle_messages(world: World) -> Step:
    """The schedule, when there is nothing to do."""
    return lambda: world.invoke("settle_messages", {})


@operation("settling", "a pending enrolment")
def start_pending(world: World) -> Step:
    """Step Functions had no room before."""
    automated(world)
    known(world, "ada")
    world.start_failures.append("ThrottlingException")
    told(world, from_python("track", "ada", event="Signed Up"))()
    (reference,) = world.messages_in("starts")
    return lambda: world.invoke("start_enrolments", {"Records": [{"messageId": "q", "body": json.dumps(reference)}]})
