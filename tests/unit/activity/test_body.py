"""The text beside an event's keys: nothing gets lost, and bytes are saved where they cost."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.activity import body
from tidings.activity.chain import Node
from tidings.activity.model import Event
from tidings.contacts.model import Identity, IdentityKind

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(texts, values, max_size=4)
instants = st.datetimes(timezones=st.just(UTC))

parts = texts.filter(bool)
nodes = st.one_of(
    st.none(),
    st.builds(Node.message, parts),
    st.builds(Node.call, parts),
    st.builds(Node.enrolment, parts, parts, parts),
    st.builds(lambda value, message: Node.event(f"user#{value}", message), parts, parts),
)


@st.composite
def events(draw: st.DrawFn) -> Event:
    user, anonymous = draw(texts), draw(texts)
    kind = draw(st.sampled_from([IdentityKind.USER, IdentityKind.ANONYMOUS, IdentityKind.CONTACT]))
    value = {IdentityKind.USER: user, IdentityKind.ANONYMOUS: anonymous}.get(kind, "c1")
    return Event(
        workspace="acme",
        identity=Identity(kind, value),
        message_id="m-1",
        type="track",
        name="Viewed",
        received_at=NOW,
        timestamp=draw(instants),
        user_id=user,
        anonymous_id=anonymous,
        original_timestamp=draw(st.none() | instants),
        sent_at=draw(st.none() | instants),
        properties=draw(objects),
        traits=draw(objects),
        context=draw(objects),
        group_id=draw(texts),
        previous_id=draw(texts),
        publishable=draw(st.booleans()),
        clamped=draw(st.booleans()),
        cause=draw(nodes),
        root=draw(nodes),
    )


@given(events())
def test_what_is_written_is_read_again(event: Event) -> None:
    read = body.read(body.write(event), event.identity)
    assert read == {name: getattr(event, name) for name in read}


@given(texts, st.integers(0, 3000))
def test_what_is_packed_is_unpacked_again(text: str, beside: int) -> None:
    long = text * 200
    packed = body.pack(long, beside)
    assert packed is None or body.unpack(packed) == long


def event(**fields: Any) -> Event:
    return Event("acme", Identity(IdentityKind.USER, "u-7"), "m-1", "track", "Viewed", NOW, NOW, "u-7", "a-9", **fields)


def test_an_id_that_the_key_says_is_not_said_again() -> None:
    assert body.write(event()) == '{"at":"2026-11-21T09:00:00.000000Z","anon":"a-9"}'


def test_a_text_within_the_first_kilobyte_stays_readable() -> None:
    assert body.pack("x" * 900, beside=120) is None


def test_a_text_over_a_kilobyte_is_packed_where_that_saves_a_unit() -> None:
    assert body.pack("x" * 900, beside=121) is not None
    assert body.pack("x" * 900, beside=1024) is None  # one kilobyte is full without it


@pytest.mark.parametrize("packed", [b"", b"x" * 40])
def test_bytes_that_are_no_body_are_refused(packed: bytes) -> None:
    with pytest.raises(ValueError, match="no packed body"):
        body.unpack(packed)
