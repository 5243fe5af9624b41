"""Pure decisions about senders: what a name may be, whom it covers, which DNS records it needs, what is wrong with it.

Bulk senders need SPF, DKIM and a DMARC policy, each of the sender's own domain, or Gmail, Yahoo and Microsoft refuse
their mails: https://support.google.com/a/answer/81126
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from tidings.core.clock import to_text
from tidings.core.errors import InvalidInput
from tidings.email.sender_model import MISSING, PENDING, SUCCESS, Dmarc, Record, Sender, SenderWarning, Texts

# DNS names have 253 characters at most, and the names of DKIM keys put 44 before the domain: a token and _domainkey.
DOMAIN_CHARACTERS = 209
LOCAL_CHARACTERS = 64
# RFC 9989, section 4.10: who looks for a DMARC record asks at most eight names.
DMARC_NAMES = 8
POLICIES = ("none", "quarantine", "reject")
SPF_VALUE = "v=spf1 include:amazonses.com ~all"

# RFC 5322's dot-atom: SES takes local parts in ASCII only.
_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
# One address, alone or after a name. Where parsers differ in what they read (CVE-2023-27043), nothing is read here:
# what SES takes for the sender must be what was checked.
_MAILBOX = re.compile(
    r'(?:(?:"(?:[^"\\]|\\.)*"\s*|[^"<>@,;:]*)<(?P<named>[^<>@\s",;:()]+@[^<>@\s",;:()]+)>'
    r'|(?P<bare>[^<>@\s",;:()]+@[^<>@\s",;:()]+))'
)
_SPF = re.compile(r"v=spf1(\s.*)?\binclude:amazonses\.com(\s|$)", re.IGNORECASE)


def read_identity(text: str) -> str:
    """A domain, or an address, in the one spelling it is kept by. Raises InvalidInput."""
    local, at, domain = text.strip().rpartition("@")
    found = read_domain(domain, "identity")
    if not at:
        return found
    local = local.lower()
    if len(local) > LOCAL_CHARACTERS or not _LOCAL.fullmatch(local):
        raise InvalidInput("invalid_address", "This is no address that SES sends from.", "identity")
    return f"{local}@{found}"


def read_domain(text: str, field: str) -> str:
    """A domain in ASCII and lower case, of at least two labels and 209 characters at most. Raises InvalidInput."""
    domain = ascii_domain(text.strip())
    told = ""
    if not domain:
        told = "This is no domain name, such as acme.example."
    elif "." not in domain or domain.rpartition(".")[2].isdigit():
        told = "A sender is a domain of one's own, such as acme.example: neither a top-level domain nor a number."
    elif len(domain) > DOMAIN_CHARACTERS:
        told = f"The domain has more than {DOMAIN_CHARACTERS} characters, which leaves no room for the names of keys."
    if told:
        raise InvalidInput("invalid_domain", told, field)
    return domain


def ascii_domain(text: str) -> str:
    """A domain as DNS spells it, `xn--…` where it has other letters (RFC 5891, UTS 46); empty if it is none."""
    import idna  # late: most of those who come here have letters in it that need no table

    try:
        return idna.encode(text.removesuffix("."), uts46=True, std3_rules=True).decode().lower()
    except UnicodeError:
        return ""


def read_mail_from(body: Mapping[str, Any], identity: str) -> str:
    """The MAIL FROM domain that the body asks for, a subdomain of the identity; empty if it asks for none.

    Raises InvalidInput.
    """
    asked = body.get("mail_from")
    for name in body:
        if name != "mail_from":
            raise InvalidInput("unknown_field", "Of a sender only mail_from is said.", name)
    if asked is None:
        return ""
    if not isinstance(asked, str):
        raise InvalidInput("invalid_type", "mail_from is text.", "mail_from")
    if "@" in identity:
        raise InvalidInput("invalid_mail_from", "One address has no MAIL FROM domain: add its domain.", "mail_from")
    domain = read_domain(asked, "mail_from")
    if not domain.endswith(f".{identity}"):
        raise InvalidInput("invalid_mail_from", f"mail_from is a subdomain of {identity}.", "mail_from")
    return domain


def default_mail_from(domain: str) -> str:
    """Where bounces go unless somebody says otherwise; empty if the domain leaves no room for it."""
    chosen = f"mail.{domain}"
    return chosen if len(chosen) <= DOMAIN_CHARACTERS else ""


def root_of(identity: str) -> str:
    """The last two labels of its domain: all that could overlap with it has the same."""
    return ".".join(identity.rpartition("@")[2].split(".")[-2:])


def overlap(one: str, other: str) -> bool:
    """Whether one of two identities covers the other, or they are the same."""
    if one == other:
        return True
    return _covers(one, other) or _covers(other, one)


def _covers(one: str, other: str) -> bool:
    return "@" not in one and (other.rpartition("@")[2] == one or other.endswith(f".{one}"))


def address_of(sender: str) -> str:
    """The one address that a sender such as `Acme <hello@acme.example>` is; empty if it is none, or not surely one."""
    found = _MAILBOX.fullmatch(sender.strip())
    return (found["named"] or found["bare"]) if found else ""


def covering(senders: Mapping[str, Mapping[str, Any]], address: str) -> Mapping[str, Any] | None:
    """What is said of the sender that covers an address: itself, else its domain, else the nearest one above.

    SES counts the nearest identity too: one that is listed and not verified is not helped by a verified one above.
    """
    local, at, domain = address.strip().lower().rpartition("@")
    if not local or not at:
        return None
    if not domain.isascii():
        domain = ascii_domain(domain)
    labels = domain.split(".")
    places = [f"{local}@{domain}", *(".".join(labels[start:]) for start in range(len(labels) - 1))]
    return next((senders[place] for place in places if place in senders), None)


def dmarc_of(domain: str, dns: Texts) -> Dmarc:
    """The DMARC policy of a domain: its own, else that of the nearest domain above (RFC 9989, section 4.10)."""
    labels = domain.split(".")
    places = [".".join(labels[start:]) for start in range(len(labels) - 1)]
    for place in [places[0], *places[1:][-(DMARC_NAMES - 1) :]]:
        texts = dns.texts(f"_dmarc.{place}")
        if texts is None:
            return Dmarc("unknown")
        if found := [text for text in texts if _tags(text)[:1] == [("v", "DMARC1")]]:
            return _read_dmarc(found, f"_dmarc.{place}", inherited=place != domain)
    return Dmarc("missing")


def _read_dmarc(found: list[str], name: str, inherited: bool) -> Dmarc:
    if len(found) > 1:
        return Dmarc("invalid", name)  # then mailboxes heed none of them
    tags = dict(_tags(found[0]))
    policy = ((tags.get("sp") if inherited else None) or tags.get("p", "")).lower()
    return Dmarc("found", name, policy) if policy in POLICIES else Dmarc("invalid", name)


def _tags(text: str) -> list[tuple[str, str]]:
    pairs = (part.partition("=") for part in text.split(";") if part.strip())
    return [(name.strip().lower(), value.strip()) for name, _, value in pairs]


def spf_of(mail_from: str, dns: Texts) -> bool | None:
    """Whether the MAIL FROM domain lets SES send (RFC 7208); None if DNS did not answer."""
    texts = dns.texts(mail_from) if mail_from else []
    return None if texts is None else any(_SPF.match(text.strip()) for text in texts)


def records_of(sender: Sender, region: str) -> list[Record]:
    """The DNS records that a domain needs, in the order in which one sets them; none for one address.

    https://docs.aws.amazon.com/ses/latest/dg/mail-from.html and send-email-authentication-dkim-easy.html
    """
    if not sender.is_domain:
        return []
    domain, dkim, mail_from = sender.identity, sender.state.dkim, sender.state.mail_from
    signed, dmarc = dkim.status == SUCCESS, sender.state.dmarc
    records = [
        Record("dkim", "CNAME", f"{token}._domainkey.{domain}", f"{token}.{dkim.zone}", signed) for token in dkim.tokens
    ]
    if mail_from.domain:
        host = f"10 feedback-smtp.{region}.amazonses.com"
        records.append(Record("mail_from", "MX", mail_from.domain, host, mail_from.status == SUCCESS))
        records.append(Record("spf", "TXT", mail_from.domain, SPF_VALUE, mail_from.spf))
    place = dmarc.found or f"_dmarc.{domain}"
    known = {"found": True, "missing": False, "invalid": False}.get(dmarc.status)
    return [*records, Record("dmarc", "TXT", place, "v=DMARC1; p=none", known)]


def warnings_of(sender: Sender, public_url: str) -> list[SenderWarning]:
    """What keeps a sender's mails from arriving, worst first. `public_url` is where the workspace's links lead."""
    state, found = sender.state, []
    if state.status == MISSING:
        found.append(SenderWarning("identity_missing", "SES does not have this sender (any more): add it again."))
    elif not state.verified and sender.is_domain:
        found.append(SenderWarning("not_verified", "Nothing is sent from it until SES has seen its DKIM records."))
    elif not state.verified:
        found.append(
            SenderWarning("not_verified", "Nothing is sent from it until the link in SES's mail to it was opened.")
        )
    if not sender.is_domain:
        told = "Mailboxes want mails signed by their sender's domain: add the domain."
        return [*found, *([] if state.dkim.status == SUCCESS else [SenderWarning("dkim_pending", told)])]
    if state.dkim.status != SUCCESS and state.status != MISSING:
        found.append(SenderWarning("dkim_pending", f"Mails are not signed as its own; SES says: {state.dkim.status}."))
    return [*found, *_mail_from_warnings(sender, public_url), *_dmarc_warnings(state.dmarc)]


def _mail_from_warnings(sender: Sender, public_url: str) -> list[SenderWarning]:
    mail_from, found = sender.state.mail_from, []
    if sender.state.status != MISSING and mail_from.status != SUCCESS:
        told = f"SPF speaks for amazonses.com until MAIL FROM is in use; SES says: {mail_from.status or 'not set'}."
        found.append(SenderWarning("mail_from_not_aligned", told))
    if mail_from.domain and mail_from.spf is False:
        found.append(SenderWarning("spf_missing", f"{mail_from.domain} has no SPF record that lets SES send."))
    if mail_from.domain and mail_from.domain == urlsplit(public_url).hostname:
        told = "Links lead to the same name, which a CNAME would keep from having an MX: choose another mail_from."
        found.append(SenderWarning("mail_from_is_public_url", told))
    return found


def _dmarc_warnings(dmarc: Dmarc) -> list[SenderWarning]:
    if dmarc.status == "missing":
        return [SenderWarning("dmarc_missing", "Gmail, Yahoo and Microsoft want a DMARC record of who sends much.")]
    if dmarc.status == "invalid":
        return [
            SenderWarning("dmarc_invalid", f"{dmarc.found} holds no policy p, or two records: mailboxes heed neither.")
        ]
    return []


def shown(sender: Sender, region: str, public_url: str) -> dict[str, Any]:
    """A sender as the API shows it."""
    state = sender.state
    return {
        "identity": sender.identity,
        "kind": "domain" if sender.is_domain else "address",
        "verified": state.verified,
        "status": state.status,
        "added_at": to_text(sender.added_at),
        "checked_at": to_text(sender.checked_at) if sender.checked_at else None,
        "dkim": {"status": state.dkim.status, "tokens": list(state.dkim.tokens)},
        "mail_from": {"domain": state.mail_from.domain, "status": state.mail_from.status or PENDING}
        if state.mail_from.domain
        else None,
        "dmarc": asdict(state.dmarc),
        "records": [asdict(record) for record in records_of(sender, region)],
        "warnings": [asdict(warning) for warning in warnings_of(sender, public_url)],
    }
