"""API keys are known by their hash only; signatures and tokens are compared in constant time."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json


def fingerprint(key: str) -> str:
    """SHA-256 of an API key, in hex: what is stored in its place.

    A plain hash is enough because the keys are 192 random bits, which nobody can search.
    """
    return hashlib.sha256(_bytes(key)).hexdigest()


def keyed_hash(secret: str, *parts: str) -> str:
    """A hash (HMAC-SHA256, 26 letters of base32) that nobody can make without the secret.

    It stands for an address where the address itself must not stay: without a key, a phone number or an e-mail address
    could be found by trying them all. Raises ValueError for an empty secret, which would be no key.
    """
    if not secret:
        raise ValueError("a keyed hash needs a secret")
    text = json.dumps(parts, ensure_ascii=True, separators=(",", ":"))
    made = hmac.new(_bytes(secret), text.encode(), hashlib.sha256).digest()
    return base64.b32encode(made).decode().lower()[:26]


def same(left: str, right: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(_bytes(left), _bytes(right))


def _bytes(text: str) -> bytes:
    # JSON can carry half of a surrogate pair: then this is a key that nobody has, and not a fault.
    return text.encode("utf-8", "surrogatepass")
