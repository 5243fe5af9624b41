"""Which messages of Amazon SNS are genuine: wire formats of SNS, signatures version 1 and 2."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.sns import (
    SUBSCRIBE_URL,
    TOPIC,
    URL,
    Web,
    certificate,
    elliptic,
    message,
    signed,
    strangers_key,
)

from tidings.core.clock import FixedClock
from tidings.core.errors import Forbidden, InvalidInput, TidingsError, Unavailable
from tidings.core.sns import Certificates, Verifier, is_of_sns, require_certificate_url, require_subscribe_url

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
KINDS = ("Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation")


def verify(
    told: Any, pem: bytes | None = None, now: datetime = NOW, topics: frozenset[str] = frozenset({TOPIC})
) -> None:
    web = Web({URL: pem if pem is not None else certificate()})
    Verifier(Certificates(web), topics, FixedClock(now)).verify(told)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version", ["1", "2"])
def test_what_sns_signed_passes(kind: str, version: str) -> None:
    verify(signed(message(kind, version)))


def test_a_notification_may_have_no_subject() -> None:
    told = message()
    del told["Subject"]
    verify(signed(told))
    verify({**signed(told), "Subject": None})


def test_a_message_of_many_lines_and_letters_passes() -> None:
    verify(signed(message(Message='{"a":\n"Zażółć 😀"}\n')))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version", ["1", "2"])
def test_what_somebody_else_signed_is_refused(kind: str, version: str) -> None:
    with pytest.raises(Forbidden) as refused:
        verify(signed(message(kind, version), strangers_key()))
    assert refused.value.code == "invalid_signature"


def test_a_signature_of_one_version_is_none_of_the_other() -> None:
    for version, other in (("1", "2"), ("2", "1")):
        with pytest.raises(Forbidden):
            verify({**signed(message(version=version)), "SignatureVersion": other})


SIGNED_FIELDS = [(kind, name) for kind in KINDS for name in message(kind) if name not in (
    "SignatureVersion", "SigningCertURL")]  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), SIGNED_FIELDS)
@given(data=st.data())
def test_whatever_is_altered_is_refused(kind: str, name: str, data: st.DataObject) -> None:
    told = signed(message(kind))
    other = data.draw(st.text(max_size=20).filter(lambda text: text != told[name]) | st.just(told[name] + " "))
    with pytest.raises(TidingsError):
        verify({**told, name: other}, topics=frozenset({TOPIC, other}))


@pytest.mark.parametrize(("kind", "name"), [*SIGNED_FIELDS, *[(kind, "Signature") for kind in KINDS]])
@pytest.mark.parametrize("value", [..., None, 7, [], {}, ""])
def test_whatever_is_missing_or_no_text_is_refused(kind: str, name: str, value: Any) -> None:
    told = {**signed(message(kind)), name: value}
    if value is ...:
        del told[name]
    with pytest.raises((InvalidInput, Forbidden)):
        verify(told)


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_that_moves_from_one_field_to_the_next_is_refused(kind: str) -> None:
    told = signed(message(kind, Message="a", MessageId="b"))
    with pytest.raises(Forbidden):
        verify({**told, "Message": "a\nMessageId\nb", "MessageId": ""})


@pytest.mark.parametrize("version", ["3", "", 2, None, "02", {}, ["1"]])
def test_other_versions_of_signatures_are_refused(version: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        verify({**signed(message()), "SignatureVersion": version})
    assert refused.value.code == "unknown_signature_version"


@pytest.mark.parametrize("signature", ["no base64!", "AAAA", "", "é"])
def test_what_is_no_signature_is_refused(signature: str) -> None:
    with pytest.raises(Forbidden) as refused:
        verify({**signed(message()), "Signature": signature})
    assert refused.value.code == "invalid_signature"


def test_only_allowed_topics_are_heard_and_no_certificate_is_fetched_for_others() -> None:
    web = Web({URL: certificate()})
    with pytest.raises(Forbidden) as refused:
        Verifier(Certificates(web), frozenset({f"{TOPIC}-2"}), FixedClock(NOW)).verify(signed(message()))
    assert (refused.value.code, web.asked) == ("topic_not_allowed", [])


@pytest.mark.parametrize(
    ("age", "passes"),
    [
        (timedelta(), True),
        (timedelta(hours=24), True),
        (timedelta(hours=24, seconds=1), False),
        (-timedelta(minutes=15), True),
        (-timedelta(minutes=15, seconds=1), False),
    ],
)
def test_only_what_is_fresh_passes(age: timedelta, passes: bool) -> None:
    told = signed(message())
    if passes:
        verify(told, now=NOW + age)
        return
    with pytest.raises(Forbidden) as refused:
        verify(told, now=NOW + age)
    assert refused.value.code == "stale_notification"


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_certificate_must_be_in_force(version: str) -> None:
    told = signed(message(version=version))
    for pem in (certificate(since=NOW + timedelta(seconds=1)), certificate(until=NOW - timedelta(seconds=1))):
        with pytest.raises(Forbidden) as refused:
            verify(told, pem)
        assert refused.value.code == "invalid_certificate"


@pytest.mark.parametrize("pem", [b"", b"<html>", elliptic()])
def test_what_is_no_certificate_of_rsa_is_refused(pem: bytes) -> None:
    with pytest.raises(Forbidden) as refused:
        verify(signed(message()), pem)
    assert refused.value.code == "invalid_certificate"


def test_a_certificate_is_fetched_once() -> None:
    web = Web({URL: certificate()})
    verifier = Verifier(Certificates(web), frozenset({TOPIC}), FixedClock(NOW))
    for number in range(3):
        verifier.verify(signed(message(MessageId=f"n-{number}")))
    assert web.asked == [URL]


def test_where_the_certificate_cannot_be_had_sns_tries_again() -> None:
    with pytest.raises(Unavailable):
        Verifier(Certificates(Web()), frozenset({TOPIC}), FixedClock(NOW)).verify(signed(message()))


@pytest.mark.parametrize(
    "url",
    [
        URL,
        "https://sns.eu-central-1.amazonaws.com/a.pem",
        "https://sns.cn-north-1.amazonaws.com.cn/a.pem",
        "https://sns.us-gov-west-1.amazonaws.com/a.pem",
        "https://sns.ap-southeast-2.amazonaws.com/folder/a.pem",
    ],
)
def test_addresses_of_certificates(url: str) -> None:
    assert require_certificate_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        None,
        7,
        "",
        "sns.us-east-1.amazonaws.com/a.pem",
        "http://sns.us-east-1.amazonaws.com/a.pem",
        "ftp://sns.us-east-1.amazonaws.com/a.pem",
        "https://sns.us-east-1.amazonaws.com/a.txt",
        "https://sns.us-east-1.amazonaws.com/a.pem?x",
        "https://sns.us-east-1.amazonaws.com/a.pem#x",
        "https://sns.us-east-1.amazonaws.com/?x=.pem",
        "https://sns.us-east-1.amazonaws.com:443/a.pem",
        "https://sns.us-east-1.amazonaws.com:8443/a.pem",
        "https://sns.us-east-1.amazonaws.com./a.pem",
        "https://sns.us-east-1.amazonaws.com@evil.example/a.pem",
        "https://evil.example@sns.us-east-1.amazonaws.com/a.pem",
        "https://evil.example\\@sns.us-east-1.amazonaws.com/a.pem",
        "https://evil.example/sns.us-east-1.amazonaws.com/a.pem",
        "https://sns.us-east-1.amazonaws.com.evil.example/a.pem",
        "https://evilsns.us-east-1.amazonaws.com/a.pem",
        "https://sns.us-east-1.evil.amazonaws.com/a.pem",
        "https://sns.evil.amazonaws.com/a.pem",
        "https://bucket.s3.amazonaws.com/a.pem",
        "https://sns.amazonaws.com/a.pem",
        "https://sns.us-east-1.amazonaws.com.cn.evil/a.pem",
        "https://sns.us-east-1.amazonaws.com\n.evil.example/a.pem",
        " https://sns.us-east-1.amazonaws.com/a.pem",
        "https://[sns.us-east-1.amazonaws.com]/a.pem",
        "https://sns.us-east-1.amazonawsécom/a.pem",
    ],
)
def test_no_addresses_of_certificates(url: Any) -> None:
    with pytest.raises(Forbidden) as refused:
        verify({**signed(message()), "SigningCertURL": url})
    assert refused.value.code == "untrusted_certificate_url"


@given(st.text(max_size=80))
def test_no_text_passes_for_an_address_of_sns_by_accident(text: str) -> None:
    assert not is_of_sns(text)
    assert not is_of_sns(f"https://{text}/a.pem")


@pytest.mark.parametrize(
    "url",
    [
        None,
        SUBSCRIBE_URL.replace("https", "http"),
        SUBSCRIBE_URL.replace("sns.us-east-1.amazonaws.com", "evil.example"),
        SUBSCRIBE_URL.replace("ConfirmSubscription", "Unsubscribe"),
        SUBSCRIBE_URL.replace("ConfirmSubscription", "ConfirmSubscription&Action=Publish"),
        SUBSCRIBE_URL.replace("tidings-feedback", "others"),
        "https://sns.us-east-1.amazonaws.com/",
    ],
)
def test_nothing_else_is_done_by_confirming(url: Any) -> None:
    assert require_subscribe_url(SUBSCRIBE_URL, TOPIC) == SUBSCRIBE_URL
    with pytest.raises(Forbidden) as refused:
        require_subscribe_url(url, TOPIC)
    assert refused.value.code == "untrusted_subscribe_url"


@pytest.mark.parametrize("told", [{}, {"Type": "Hello"}, {"Type": None}, {"Type": ["Notification"]}])
def test_what_is_no_message_of_sns_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refused:
        verify(told)
    assert refused.value.code == "unknown_notification_type"
