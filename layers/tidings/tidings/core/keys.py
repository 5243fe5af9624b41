"""API keys are known by their hash only; signatures and tokens are compared in constant time."""

from __future__ import annotations

import hashlib
import hmac


def fingerprint(key: str) -> str:
    """SHA-256 of an API key, in hex: what is stored in its place.

    A plain hash is enough because the keys are 192 random bits, which nobody can search.
    """
    return hashlib.sha256(_bytes(key)).hexdigest()


def same(left: str, right: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(_bytes(left), _bytes(right))


def _bytes(text: str) -> bytes:
    # JSON can carry half of a surrogate pair: then this is a key that nobody has, and not a fault.
    return text.encode("utf-8", "surrogatepass")
