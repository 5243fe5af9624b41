"""Who people are is a function of all that was said, and of no order: a model says what has to come out.

Where the rules allow a difference, it is left out of what is compared, and said so at its place.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.support.examples import few
from tests.support.world import WORKSPACE, World

from tidings.activity.store import DynamoEventStore
from tidings.contacts.companies import DynamoCompanyStore
from tidings.contacts.model import Identity, IdentityKind
from tidings.contacts.store import DynamoContactStore

USERS = ("u1", "u2", "u3")
DEVICES = ("a1", "a2", "a3")
TRAITS = st.dictionaries(
    st.sampled_from(["email", "plan", "seats"]), st.sampled_from([None, "x@y.z", "p@q.r", 1, ["a"]]), max_size=2
)
MINUTES = st.integers(0, 4)
WHO = st.tuples(st.sampled_from((*USERS, "")), st.sampled_from((*DEVICES, ""))).filter(any)
COMPANY = st.sampled_from(["c1", "c2"])


@dataclass(frozen=True)
class Said:
    """One call as the model sees it."""

    kind: str
    user: str
    device: str
    minute: int
    traits: dict[str, Any] = field(default_factory=dict, hash=False)
    company: str = ""
    previous: str = ""


calls = st.one_of(
    st.builds(lambda who, minute, traits: Said("identify", *who, minute, traits), WHO, MINUTES, TRAITS),
    st.builds(lambda who, minute: Said("track", *who, minute), WHO, MINUTES),
    st.builds(
        lambda user, minute, previous: Said("alias", user, "", minute, previous=previous),
        st.sampled_from(USERS), MINUTES, st.sampled_from((*DEVICES, *USERS)),
    ),
    st.builds(
        lambda kind, who, minute, traits, company: Said(kind, *who, minute, traits, company),
        st.sampled_from(["group", "ungroup"]), WHO, MINUTES, TRAITS, COMPANY,
    ),
)  # fmt: skip
histories = st.lists(calls, min_size=2, max_size=7)


# --- the model --------------------------------------------------------------------------------------------------------


def _stamp(number: int, said: Said) -> tuple[int, str]:
    return (said.minute, f"m-{number}")


def _owners(history: list[Said]) -> dict[str, str]:
    """Each device belongs to the user of its earliest link."""
    links: dict[str, list[tuple[tuple[int, str], str]]] = defaultdict(list)
    for number, said in enumerate(history):
        device = said.previous if said.kind == "alias" else said.device
        if said.user and device in DEVICES:
            links[device].append((_stamp(number, said), said.user))
    return {device: min(made)[1] for device, made in links.items()}


def _latest(told: list[tuple[tuple[int, str], str, Any]]) -> dict[str, Any]:
    """For each name what was said last."""
    found = {name: value for _, name, value in sorted(told, key=lambda one: one[0])}
    return {name: value for name, value in found.items() if value is not None}


def expected(history: list[Said]) -> dict[frozenset[str], dict[str, Any]]:
    """The contacts, by their users and devices."""
    owners = _owners(history)
    named = {name for said in history for name in (said.user, said.device) if name}
    named |= {said.previous for said in history if said.kind == "alias" and said.previous in DEVICES}
    groups: dict[str, set[str]] = defaultdict(set)
    for name in named:
        groups[owners.get(name, name)].add(name)
    return {frozenset(group): _person(group, history) for group in groups.values()}


def _person(group: set[str], history: list[Said]) -> dict[str, Any]:
    mine = [(number, said) for number, said in enumerate(history) if (said.user or said.device) in group]
    traits = [(_stamp(n, s), name, v) for n, s in mine if s.kind == "identify" for name, v in s.traits.items()]
    companies = [
        (_stamp(n, s), s.company, s.kind == "group" or None) for n, s in mine if s.kind in ("group", "ungroup")
    ]
    return {
        "traits": _latest(traits),
        "companies": sorted(_latest(companies)),
        "messages": sorted(f"m-{number}" for number, _ in mine),
    }


def companies_of(history: list[Said]) -> dict[str, dict[str, Any]]:
    """The companies and their traits."""
    told: dict[str, list[Any]] = defaultdict(list)
    for number, said in enumerate(history):
        if said.kind == "group":
            told[said.company] += [(_stamp(number, said), name, value) for name, value in said.traits.items()]
    return {company: _latest(traits) for company, traits in told.items()}


# --- the world --------------------------------------------------------------------------------------------------------


def message(number: int, said: Said, name: str) -> dict[str, Any]:
    """The call as an SDK sends it; ids begin with a name of their own, so that examples can share a world."""
    at = f"2026-11-21T08:0{said.minute}:00Z"
    ids = {"userId": said.user, "anonymousId": said.device, "previousId": said.previous, "groupId": said.company}
    given_ids = {field: f"{name}.{value}" for field, value in ids.items() if value}
    event = {"event": "Done"} if said.kind == "track" else {}
    return {"type": said.kind, "messageId": f"m-{number}", "timestamp": at, "traits": said.traits, **event, **given_ids}


def found(world: World, name: str) -> dict[frozenset[str], dict[str, Any]]:
    """The contacts of an example, by their users and devices.

    Left out: that an alias named a user who was not known yet. Then the name is taken for a device's, and when the
    user comes to be known, that device of nobody's stays where it is. When the user was known before, it is refused.
    """
    contacts, events = DynamoContactStore(world.database), DynamoEventStore(world.database)
    people = {}
    leads: dict[str, list[str]] = defaultdict(list)
    for kind, values in ((IdentityKind.USER, USERS), (IdentityKind.ANONYMOUS, DEVICES)):
        for value in values:
            lead = contacts.lead(WORKSPACE, Identity(kind, f"{name}.{value}"))
            if lead is not None:
                leads[lead.contact].append(value)
    for contact_id, values in leads.items():
        contact = contacts.get(WORKSPACE, contact_id)
        assert contact is not None
        assert not contact.merged_into
        own = {i.value.partition(".")[2] for i in contact.of_kind(IdentityKind.USER, IdentityKind.ANONYMOUS)}
        assert {value for value in own if value in USERS} | (own & set(DEVICES)) >= set(values)
        assert sum(i.kind is IdentityKind.USER for i in contact.identities) <= 1
        stored = [e for i in contact.event_identities for e in events.all_of(WORKSPACE, i) if e.type != "system"]
        people[frozenset(values)] = {
            "traits": contact.values,
            "companies": [company.partition(".")[2] for company in contact.joined],
            "messages": sorted({event.message_id for event in stored}),
        }
    return people


def react_to(world: World, data: st.DataObject, records: list[dict[str, Any]]) -> None:
    """Let react have records in any order and any batches, some of them twice, and then what it wrote itself."""
    order = data.draw(st.permutations(records))
    while order:
        size = data.draw(st.integers(1, len(order)))
        for _ in range(data.draw(st.integers(1, 2))):
            answer = world.invoke("react", {"Records": order[:size]})
            assert answer == {"batchItemFailures": []}
        order = order[size:]
    world.pump()


@few(40)
@given(data=st.data(), history=histories)
def test_whatever_comes_in_whatever_order_the_people_are_the_same(
    world: World, data: st.DataObject, history: list[Said]
) -> None:
    world.pump()
    name = world.fresh()
    sent = [message(number, said, name) for number, said in enumerate(history)]
    arriving = data.draw(st.permutations(sent))
    while arriving:
        world.now += timedelta(seconds=1)
        size = data.draw(st.integers(1, len(arriving)))
        again = data.draw(st.lists(st.sampled_from(sent), max_size=2))
        assert world.ingest("batch", {"batch": [*arriving[:size], *again]})[1] == {"success": True}
        arriving = arriving[size:]
        if not arriving or data.draw(st.booleans()):
            react_to(world, data, world.new_records())
    assert found(world, name) == expected(history)
    companies = DynamoCompanyStore(world.database)
    for company, traits in companies_of(history).items():
        kept = companies.get(WORKSPACE, f"{name}.{company}")
        assert kept is not None
        assert kept.as_dict()["traits"] == traits
