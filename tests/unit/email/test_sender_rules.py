"""What a sender may be called, whom it covers, and what is said of its DNS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.accounts.model import Workspace
from tidings.core.errors import InvalidInput
from tidings.email.ordering import is_verified
from tidings.email.sender_model import Dkim, Dmarc, MailFrom, Sender, SenderState
from tidings.email.sender_rules import (
    address_of,
    ascii_domain,
    default_mail_from,
    dmarc_of,
    overlap,
    read_identity,
    read_mail_from,
    records_of,
    root_of,
    spf_of,
    warnings_of,
)

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
LABEL = st.sampled_from(["a", "b", "acme", "mail"])
DOMAIN = st.lists(LABEL, min_size=2, max_size=4).map(".".join)
IDENTITY = st.one_of(DOMAIN, DOMAIN.map("hello@{}".format))
GOOD = SenderState(
    True, "success", Dkim("success", ("t1", "t2", "t3")), MailFrom("mail.acme.example", "success", True),
    Dmarc("found", "_dmarc.acme.example", "none"),
)  # fmt: skip


@dataclass
class Dns:
    """The TXT records of some names, and what was asked; None for a name that nobody answers for."""

    known: Mapping[str, list[str] | None] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def texts(self, name: str) -> list[str] | None:
        self.asked.append(name)
        return self.known.get(name, [])


def sender(state: SenderState = GOOD, identity: str = "acme.example") -> Sender:
    return Sender("acme", identity, NOW, state, NOW)


# --- whom a sender covers --------------------------------------------------------------------------------------------

NEWS, ABOVE = "_dmarc.news.acme.example", "_dmarc.acme.example"
YES, NO = {"verified": True}, {"verified": False}


@pytest.mark.parametrize(
    ("senders", "address", "verified"),
    [
        ({}, "hello@acme.example", False),
        ({"acme.example": YES}, "hello@acme.example", True),
        ({"acme.example": NO}, "hello@acme.example", False),
        ({"acme.example": {}}, "hello@acme.example", False),
        ({"acme.example": YES}, "hello@news.acme.example", True),
        ({"acme.example": YES}, "hello@a.b.news.acme.example", True),
        ({"news.acme.example": YES}, "hello@acme.example", False),
        ({"acme.example": YES, "news.acme.example": NO}, "hello@news.acme.example", False),
        ({"acme.example": YES, "news.acme.example": NO}, "hello@de.news.acme.example", False),
        ({"acme.example": YES, "news.acme.example": NO}, "hello@shop.acme.example", True),
        ({"acme.example": NO, "news.acme.example": YES}, "hello@news.acme.example", True),
        ({"hello@acme.example": YES}, "hello@acme.example", True),
        ({"hello@acme.example": YES}, "other@acme.example", False),
        ({"hello@acme.example": YES}, "hello@news.acme.example", False),
        ({"hello@acme.example": YES, "acme.example": NO}, "hello@acme.example", True),
        ({"hello@acme.example": NO, "acme.example": YES}, "hello@acme.example", False),
        ({"acme.example": YES}, "hello@notacme.example", False),
        ({"acme.example": YES}, "hello@acme.example.org", False),
        ({"acme.example": YES}, "hello@example", False),
        ({"example": YES}, "hello@acme.example", False),  # nobody has a top-level domain
        ({"acme.example": YES}, "Hello@ACME.Example", True),
        ({"hello@acme.example": YES}, "Hello@Acme.example", True),
        ({"xn--mnchen-3ya.example": YES}, "hello@münchen.example", True),
        ({"xn--mnchen-3ya.example": YES}, "hello@MÜNCHEN.example", True),
        ({"xn--mnchen-3ya.example": YES}, "hello@munchen.example", False),
        ({"acme.example": YES}, "hello@аcme.example", False),  # a Cyrillic а
        ({"acme.example": YES}, "acme.example", False),
        ({"acme.example": YES}, "@acme.example", False),
        ({"acme.example": YES}, "", False),
        ({"": YES, "example": YES}, "hello@", False),
    ],
)
def test_the_nearest_sender_that_is_listed_decides(senders: dict[str, Any], address: str, verified: bool) -> None:
    assert is_verified(Workspace("acme", "Acme", NOW, senders=senders), address) is verified


def test_a_sender_of_another_workspace_covers_nothing_here() -> None:
    theirs = Workspace("other", "Other", NOW, senders={"acme.example": YES})
    assert is_verified(theirs, "hello@acme.example")
    assert not is_verified(Workspace("acme", "Acme", NOW), "hello@acme.example")


@given(st.dictionaries(IDENTITY, st.booleans(), max_size=4), DOMAIN)
def test_no_address_is_verified_without_a_verified_sender_at_or_above_it(known: dict[str, bool], domain: str) -> None:
    workspace = Workspace("acme", "Acme", NOW, senders={name: {"verified": yes} for name, yes in known.items()})
    address = f"hello@{domain}"
    if is_verified(workspace, address):
        assert any(yes and (name in (address, domain) or domain.endswith(f".{name}")) for name, yes in known.items())


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("hello@acme.example", "hello@acme.example"),
        ("Acme <hello@acme.example>", "hello@acme.example"),
        ('"Acme, Inc." <hello@acme.example>', "hello@acme.example"),
        ("Acme (Polska) <hello@acme.example>", "hello@acme.example"),
        ("=?utf-8?b?xbs=?= <hello@acme.example>", "hello@acme.example"),
        ('"evil@other.example" <hello@acme.example>', "hello@acme.example"),
        ("hello@acme.example, evil@other.example", ""),
        ("hello@acme.example <evil@other.example>", ""),
        ("<hello@acme.example> <evil@other.example>", ""),
        ("Acme <hello@acme.example> evil@other.example", ""),
        ('"a" <evil@other.example> <hello@acme.example>', ""),
        ("hello@acme.example(<evil@other.example>)", ""),
        ("group: hello@acme.example;", ""),
        ("a@b@acme.example", ""),
        ('"a@evil.example"@acme.example', ""),
        ("Acme", ""),
        ("", ""),
    ],
)
def test_a_sender_that_could_be_read_in_two_ways_is_none(written: str, address: str) -> None:
    assert address_of(written) == address


# --- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "identity"),
    [
        ("acme.example", "acme.example"),
        (" Acme.EXAMPLE. ", "acme.example"),
        ("münchen.example", "xn--mnchen-3ya.example"),
        ("xn--mnchen-3ya.example", "xn--mnchen-3ya.example"),
        ("Hello@Acme.Example", "hello@acme.example"),
        ("hello+news@MÜNCHEN.example", "hello+news@xn--mnchen-3ya.example"),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
    ],
)
def test_a_sender_is_kept_in_one_spelling(text: str, identity: str) -> None:
    assert read_identity(text) == identity
    assert read_identity(identity) == identity


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "invalid_domain"),
        ("com", "invalid_domain"),
        ("localhost", "invalid_domain"),
        ("acme..example", "invalid_domain"),
        (".acme.example", "invalid_domain"),
        ("-acme.example", "invalid_domain"),
        ("ac_me.example", "invalid_domain"),
        ("ac me.example", "invalid_domain"),
        ("acme.example/path", "invalid_domain"),
        ("https://acme.example", "invalid_domain"),
        ("192.0.2.1", "invalid_domain"),
        ("[192.0.2.1]", "invalid_domain"),
        ("xn--a.example", "invalid_domain"),
        ("a" * 64 + ".example", "invalid_domain"),
        (".".join(["a" * 40] * 5) + ".example", "invalid_domain"),  # 212 characters
        ("hello@com", "invalid_domain"),
        ("@acme.example", "invalid_address"),
        ("a@b@acme.example", "invalid_address"),
        ("Żaneta@acme.example", "invalid_address"),
        ("a b@acme.example", "invalid_address"),
        ("a..b@acme.example", "invalid_address"),
        ("a" * 65 + "@acme.example", "invalid_address"),
        ("Acme <hello@acme.example>", "invalid_domain"),
        ("hello@acme.example\r\nbcc: x", "invalid_domain"),
    ],
)
def test_what_is_no_domain_or_address_is_refused(text: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_identity(text)
    assert (refused.value.code, refused.value.field) == (code, "identity")


def test_a_domain_may_have_as_many_characters_as_leave_room_for_the_names_of_keys() -> None:
    domain = ".".join(["a" * 49] * 4) + "." + "b" * 9
    assert len(domain) == 209
    assert read_identity(domain) == domain
    assert len(f"{'t' * 32}._domainkey.{domain}") == 253
    with pytest.raises(InvalidInput):
        read_identity(f"{domain}b")


@given(st.text(max_size=40))
def test_whatever_is_read_as_a_domain_is_ascii_and_stays_as_it_is(text: str) -> None:
    found = ascii_domain(text)
    assert found.isascii()
    assert found == found.lower()
    assert not found or ascii_domain(found) == found.removesuffix(".")


@pytest.mark.parametrize(
    ("body", "mail_from"),
    [
        ({}, ""),
        ({"mail_from": None}, ""),
        ({"mail_from": "bounce.acme.example"}, "bounce.acme.example"),
        ({"mail_from": "A.Bounce.Acme.Example"}, "a.bounce.acme.example"),
    ],
)
def test_mail_from_is_a_subdomain(body: dict[str, Any], mail_from: str) -> None:
    assert read_mail_from(body, "acme.example") == mail_from


@pytest.mark.parametrize(
    ("identity", "body", "code"),
    [
        ("acme.example", {"mail_from": "acme.example"}, "invalid_mail_from"),
        ("acme.example", {"mail_from": "mail.other.example"}, "invalid_mail_from"),
        ("acme.example", {"mail_from": "mail.notacme.example"}, "invalid_mail_from"),
        ("acme.example", {"mail_from": "mail..acme.example"}, "invalid_domain"),
        ("acme.example", {"mail_from": 7}, "invalid_type"),
        ("acme.example", {"mailfrom": "mail.acme.example"}, "unknown_field"),
        ("hello@acme.example", {"mail_from": "mail.acme.example"}, "invalid_mail_from"),
    ],
)
def test_another_mail_from_is_refused(identity: str, body: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_mail_from(body, identity)
    assert refused.value.code == code


def test_bounces_go_to_mail_unless_the_domain_is_too_long_for_that() -> None:
    assert default_mail_from("acme.example") == "mail.acme.example"
    assert default_mail_from("a" * 208) == ""


# --- who stands in whose way -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("acme.example", "acme.example", True),
        ("acme.example", "news.acme.example", True),
        ("acme.example", "hello@acme.example", True),
        ("acme.example", "hello@news.acme.example", True),
        ("hello@acme.example", "hello@acme.example", True),
        ("hello@acme.example", "other@acme.example", False),
        ("news.acme.example", "shop.acme.example", False),
        ("news.acme.example", "hello@acme.example", False),
        ("acme.example", "notacme.example", False),
        ("hello@acme.example", "hello@news.acme.example", False),
    ],
)
def test_a_domain_overlaps_with_all_that_is_beneath_it(one: str, other: str, expected: bool) -> None:
    assert overlap(one, other) is overlap(other, one) is expected


@given(IDENTITY, IDENTITY)
def test_what_overlaps_stands_beneath_one_root(one: str, other: str) -> None:
    assert not overlap(one, other) or root_of(one) == root_of(other)


# --- DNS -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ({}, Dmarc("missing")),
        ({NEWS: ["v=DMARC1; p=reject"]}, Dmarc("found", NEWS, "reject")),
        ({ABOVE: ["v=DMARC1; p=none"]}, Dmarc("found", ABOVE, "none")),
        ({ABOVE: ["v=DMARC1; p=none; sp=Quarantine"]}, Dmarc("found", ABOVE, "quarantine")),
        ({NEWS: ["v=DMARC1;p=none;sp=reject"]}, Dmarc("found", NEWS, "none")),
        ({NEWS: ["v=DMARC1; rua=mailto:d@acme.example"]}, Dmarc("invalid", NEWS)),
        ({NEWS: ["v=DMARC1; p=maybe"]}, Dmarc("invalid", NEWS)),
        ({NEWS: ["v=DMARC1; p=none"] * 2}, Dmarc("invalid", NEWS)),
        ({NEWS: ["p=none; v=DMARC1"]}, Dmarc("missing")),
        ({NEWS: ["v=DMARC2; p=none", "hello"]}, Dmarc("missing")),
        ({NEWS: None, ABOVE: ["v=DMARC1; p=none"]}, Dmarc("unknown")),
        ({ABOVE: None}, Dmarc("unknown")),
    ],
)
def test_the_nearest_dmarc_record_counts(texts: dict[str, list[str] | None], found: Dmarc) -> None:
    assert dmarc_of("news.acme.example", Dns(texts)) == found


def test_only_names_of_dmarc_records_are_asked_up_to_the_last_two_labels() -> None:
    dns = Dns()
    dmarc_of("a.b.acme.example", dns)
    assert dns.asked == [f"_dmarc.{name}" for name in ("a.b.acme.example", "b.acme.example", "acme.example")]
    deep = Dns()
    dmarc_of(".".join("abcdefghijkl") + ".acme.example", deep)
    assert len(deep.asked) == 8  # RFC 9989
    assert deep.asked[-1] == "_dmarc.acme.example"


@pytest.mark.parametrize(
    ("texts", "passes"),
    [
        (["v=spf1 include:amazonses.com ~all"], True),
        (["google-site-verification=x", "V=SPF1 ip4:192.0.2.0/24 include:amazonses.com -all"], True),
        (["v=spf1 include:amazonses.com"], True),
        (["v=spf1 include:amazonses.com.evil.example ~all"], False),
        (["v=spf1 ~all"], False),
        (["include:amazonses.com"], False),
        ([], False),
        (None, None),
    ],
)
def test_spf_counts_where_it_lets_ses_send(texts: list[str] | None, passes: bool | None) -> None:
    assert spf_of("mail.acme.example", Dns({"mail.acme.example": texts})) is passes


# --- what to set, and what is wrong ----------------------------------------------------------------------------------


def test_the_records_of_a_domain_are_those_that_ses_asks_for() -> None:
    made = records_of(sender(), "eu-central-1")
    assert [(one.purpose, one.type, one.name, one.value, one.found) for one in made] == [
        *(
            ("dkim", "CNAME", f"{token}._domainkey.acme.example", f"{token}.dkim.amazonses.com", True)
            for token in ("t1", "t2", "t3")
        ),
        ("mail_from", "MX", "mail.acme.example", "10 feedback-smtp.eu-central-1.amazonses.com", True),
        ("spf", "TXT", "mail.acme.example", "v=spf1 include:amazonses.com ~all", True),
        ("dmarc", "TXT", "_dmarc.acme.example", "v=DMARC1; p=none", True),
    ]


def test_the_keys_stand_in_the_zone_that_ses_names() -> None:
    state = replace(GOOD, dkim=Dkim("success", ("t1",), "dkim.ap-southeast-5.amazonses.com"))
    assert records_of(sender(state), "ap-southeast-5")[0].value == "t1.dkim.ap-southeast-5.amazonses.com"


def test_an_address_has_no_records_of_its_own() -> None:
    assert records_of(sender(identity="hello@acme.example"), "eu-central-1") == []


@pytest.mark.parametrize(
    ("state", "codes"),
    [
        (GOOD, []),
        (replace(GOOD, verified=False, status="pending"), ["not_verified"]),
        (replace(GOOD, dkim=Dkim("pending")), ["dkim_pending"]),
        (replace(GOOD, mail_from=MailFrom()), ["mail_from_not_aligned"]),
        (replace(GOOD, mail_from=MailFrom("mail.acme.example", "pending", True)), ["mail_from_not_aligned"]),
        (replace(GOOD, mail_from=MailFrom("mail.acme.example", "success", False)), ["spf_missing"]),
        (replace(GOOD, mail_from=MailFrom("mail.acme.example", "success", None)), []),
        (replace(GOOD, mail_from=MailFrom("go.acme.example", "success", True)), ["mail_from_is_public_url"]),
        (replace(GOOD, dmarc=Dmarc("missing")), ["dmarc_missing"]),
        (replace(GOOD, dmarc=Dmarc("invalid", "_dmarc.acme.example")), ["dmarc_invalid"]),
        (replace(GOOD, dmarc=Dmarc("unknown")), []),
        (SenderState(status="missing", dmarc=Dmarc("missing")), ["identity_missing", "dmarc_missing"]),
    ],
)
def test_what_keeps_mails_from_arriving_is_warned_of(state: SenderState, codes: list[str]) -> None:
    assert [one.code for one in warnings_of(sender(state), "https://go.acme.example")] == codes


def test_an_address_is_told_to_open_the_link_and_to_add_its_domain() -> None:
    found = warnings_of(sender(SenderState(), "hello@acme.example"), "")
    assert [one.code for one in found] == ["not_verified", "dkim_pending"]
    assert "link" in found[0].message


@given(
    st.builds(
        SenderState, st.booleans(), st.sampled_from(["success", "missing"]),
        st.builds(Dkim, st.just("failed"), st.tuples(st.text())), st.builds(MailFrom, st.text(), st.text(), st.none()),
        st.builds(Dmarc),
    )
)  # fmt: skip
def test_a_state_is_read_as_it_was_kept(state: SenderState) -> None:
    assert SenderState.of(state.as_dict()) == state
