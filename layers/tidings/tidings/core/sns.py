"""Amazon SNS over HTTPS: which messages are genuine, by their signature.

Rules: https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html. A message says itself where the
certificate of its signature is, so the address is held against a strict pattern before anybody fetches from there.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qs, urlsplit

from tidings.core.clock import Clock, from_text
from tidings.core.errors import Forbidden, InvalidInput

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

NOTIFICATION = "Notification"
SUBSCRIBE = "SubscriptionConfirmation"
UNSUBSCRIBE = "UnsubscribeConfirmation"

# What is signed, in this order; what a message lacks is left out.
_SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    SUBSCRIBE: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    UNSUBSCRIBE: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_OPTIONAL = frozenset({"Subject"})
_HOST = re.compile(r"sns\.[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}\.amazonaws\.com(?:\.cn)?")
_HASHES = {"1": "SHA1", "2": "SHA256"}

OLDEST = timedelta(days=1)  # SNS tries for an hour by default, and at most for a day with a policy of one's own
AHEAD = timedelta(minutes=15)
CERTIFICATES = 20


class Fetcher(Protocol):
    """Fetches a document over HTTPS: no redirects, bounded in time and size. Raises Unavailable."""

    def get(self, url: str) -> bytes: ...


class Certificates:
    """The certificates of SNS, each fetched once for a process."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._known: dict[str, Certificate] = {}

    def get(self, url: str, now: datetime) -> Certificate:
        """The certificate at an address, if it is in force. Raises Forbidden, and Unavailable if it cannot be had."""
        from cryptography import x509  # late: a megabyte of compiled code that nothing else needs

        found = self._known.get(url)
        if found is None:
            try:
                found = x509.load_pem_x509_certificate(self._fetcher.get(url))
            except ValueError as error:
                raise Forbidden("invalid_certificate", "At SigningCertURL there is no certificate.") from error
            if len(self._known) >= CERTIFICATES:
                self._known.clear()
            self._known[url] = found
        if not found.not_valid_before_utc <= now <= found.not_valid_after_utc:
            raise Forbidden("invalid_certificate", "The certificate of the signature is not in force.")
        return found


class Verifier:
    """Tells genuine messages of allowed topics from all others."""

    def __init__(self, certificates: Certificates, topics: frozenset[str], clock: Clock) -> None:
        self._certificates = certificates
        self._topics = topics
        self._clock = clock

    def verify(self, message: Mapping[str, Any]) -> None:
        """Let a message pass that SNS signed lately, of an allowed topic.

        Raises InvalidInput for what is no message of SNS, Forbidden for what is forged, old, or of another topic, and
        Unavailable where the certificate cannot be had: then SNS tries again.
        """
        text = signed_text(message)
        if message["TopicArn"] not in self._topics:
            raise Forbidden("topic_not_allowed", "Feedback of this topic is not taken.", "TopicArn")
        self._require_fresh(str(message["Timestamp"]))
        url = require_certificate_url(message.get("SigningCertURL"))
        signature = _signature(message.get("Signature"))
        certificate = self._certificates.get(url, self._clock.now())
        _check(certificate, signature, text, _hash_of(message.get("SignatureVersion")))

    def _require_fresh(self, stamp: str) -> None:
        try:
            age = self._clock.now() - from_text(stamp)
        except ValueError as error:
            raise InvalidInput("invalid_timestamp", "Timestamp is not an ISO 8601 time.", "Timestamp") from error
        if age > OLDEST or age < -AHEAD:
            raise Forbidden("stale_notification", "The notification is too old, or from the future.", "Timestamp")


def signed_text(message: Mapping[str, Any]) -> bytes:
    """What SNS signs of a message: lines of names and values. Raises InvalidInput for what is missing."""
    kind = message.get("Type")
    if not isinstance(kind, str) or kind not in _SIGNED:
        raise InvalidInput("unknown_notification_type", "Type is none that Amazon SNS sends.", "Type")
    lines = []
    for name in _SIGNED[kind]:
        value = message.get(name)
        if value is None and name in _OPTIONAL:
            continue
        if not isinstance(value, str):
            raise InvalidInput("missing_field" if value is None else "invalid_type", f"{name} is text.", name)
        lines += [name, value]
    try:
        return "".join(f"{line}\n" for line in lines).encode()
    except UnicodeEncodeError as error:
        raise InvalidInput("invalid_text", "The text holds half of a surrogate pair, which is no text.") from error


def require_certificate_url(url: Any) -> str:
    """An address of a certificate at SNS. Raises Forbidden for any other."""
    if not is_of_sns(url) or not urlsplit(url).path.endswith(".pem") or urlsplit(url).query:
        raise Forbidden("untrusted_certificate_url", "SigningCertURL is no address of Amazon SNS.", "SigningCertURL")
    return str(url)


def require_subscribe_url(url: Any, topic: str) -> str:
    """An address by which a subscription of the topic is confirmed, and nothing else done. Raises Forbidden."""
    given = parse_qs(urlsplit(url).query) if is_of_sns(url) else {}
    if given.get("Action") != ["ConfirmSubscription"] or given.get("TopicArn") != [topic]:
        raise Forbidden("untrusted_subscribe_url", "SubscribeURL is no address of Amazon SNS.", "SubscribeURL")
    return str(url)


def is_of_sns(url: Any) -> bool:
    """Whether an address is HTTPS at a host of SNS: no other port, nobody's name before the host, no odd letters."""
    if not isinstance(url, str) or not re.fullmatch(r"https://[!-~]+", url) or "\\" in url:
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return _HOST.fullmatch(parts.netloc) is not None and not parts.fragment


def _hash_of(version: Any) -> str:
    if not isinstance(version, str) or version not in _HASHES:
        raise InvalidInput("unknown_signature_version", "SignatureVersion is 1 or 2.", "SignatureVersion")
    return _HASHES[version]


def _signature(text: Any) -> bytes:
    try:
        return base64.b64decode(text if isinstance(text, str) else "", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Forbidden("invalid_signature", "Signature is not base64.", "Signature") from error


def _check(certificate: Certificate, signature: bytes, text: bytes, hash_name: str) -> None:
    from cryptography.exceptions import InvalidSignature  # late, as above
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise Forbidden("invalid_certificate", "The certificate of the signature has no RSA key.")
    try:
        key.verify(signature, text, padding.PKCS1v15(), getattr(hashes, hash_name)())
    except InvalidSignature as error:
        raise Forbidden("invalid_signature", "Amazon SNS did not sign this.", "Signature") from error
