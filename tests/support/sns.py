"""Amazon SNS as whoever subscribes by HTTPS sees it: a key, its certificate, and messages that it signs."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from tidings.core.errors import Unavailable

TOPIC = "arn:aws:sns:us-east-1:123456789012:tidings-feedback"
URL = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem"
SUBSCRIBE_URL = f"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=t-1"
# As the documentation has it, and not as the code under test reads it.
SIGNED = {
    "Notification": ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
    "SubscriptionConfirmation": ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
    "UnsubscribeConfirmation": ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
}
HASHES = {"1": hashes.SHA1, "2": hashes.SHA256}


@cache
def key() -> rsa.RSAPrivateKey:
    """The key that SNS signs with."""
    return rsa.generate_private_key(65537, 2048)


@cache
def strangers_key() -> rsa.RSAPrivateKey:
    """Anybody else's key."""
    return rsa.generate_private_key(65537, 2048)


def certificate(
    of: Any = None,
    since: datetime = datetime(2026, 1, 1, tzinfo=UTC),
    until: datetime = datetime(2027, 1, 1, tzinfo=UTC),
) -> bytes:
    """A certificate, signed by its own key: nobody looks further than the address that it comes from."""
    signer = of or key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(signer.public_key())
    made = made.serial_number(1).not_valid_before(since).not_valid_after(until)
    return made.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def elliptic() -> bytes:
    """A certificate whose key is none of RSA."""
    return certificate(ec.generate_private_key(ec.SECP256R1()))


def signed(message: dict[str, Any], by: rsa.RSAPrivateKey | None = None) -> dict[str, Any]:
    """A message with its signature."""
    text = "".join(f"{name}\n{message[name]}\n" for name in SIGNED[message["Type"]] if name in message)
    made = (by or key()).sign(text.encode(), padding.PKCS1v15(), HASHES[message["SignatureVersion"]]())
    return {**message, "Signature": base64.b64encode(made).decode()}


def message(kind: str = "Notification", version: str = "2", **changes: Any) -> dict[str, Any]:
    """A message of SNS, unsigned."""
    own = {"Token": "t-1", "SubscribeURL": SUBSCRIBE_URL} if kind != "Notification" else {"Subject": "SES told"}
    return {
        "Type": kind,
        "MessageId": "n-1",
        "TopicArn": TOPIC,
        "Message": "Hello",
        "Timestamp": "2026-11-21T09:00:00.000Z",
        "SignatureVersion": version,
        "SigningCertURL": URL,
        **own,
        **changes,
    }


@dataclass
class Web:
    """What stands at addresses; whoever asks for more is refused."""

    pages: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def get(self, url: str) -> bytes:
        """The page."""
        self.asked.append(url)
        if url not in self.pages:
            raise Unavailable("sns_unreachable", "Amazon SNS does not answer.")
        return self.pages[url]
