"""Which key may do what, and what a workspace may be told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

from tidings.accounts.model import LIMITS, ApiKey, KeyKind, Role
from tidings.core.errors import Forbidden, InvalidInput

WORKSPACE_ID = re.compile(r"[a-z][a-z0-9-]{0,39}")

# With a token behind it, it is the value of a header of mails: at most 995 printable characters of ASCII in SES.
PUBLIC_URL_CHARACTERS = 500
_ADDRESS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")

ACTOR_CHARACTERS = 200

_INBOUND = re.compile(r"[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?")
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")

LIMIT_MOST = 100
PRIORITY_MOST = 1000
PATTERNS_MOST = 20  # of one kind of identifier: each is held against every value of it


def require_secret(key: ApiKey) -> ApiKey:
    """Only a secret key reads data and changes settings. Raises Forbidden."""
    if key.kind is not KeyKind.SECRET:
        raise Forbidden("secret_key_required", f"A {key.kind} key cannot do this; use a secret key.")
    return key


def require_role(key: ApiKey, *roles: Role) -> ApiKey:
    """Only a key of one of these roles does this. Raises Forbidden."""
    if key.role not in roles:
        wanted = " or ".join(role.value for role in roles)
        raise Forbidden("role_required", f"A key of the role {key.role.value} cannot do this; it takes {wanted}.")
    return key


def require_key(kind: KeyKind, role: Role, actor: str) -> None:
    """Whether such a key can be made: one in a person's hands is secret, and names them. Raises InvalidInput."""
    if role is Role.SERVER:
        return
    if kind is not KeyKind.SECRET:
        raise InvalidInput("invalid_role", f"A key of the role {role.value} is a secret key.", "role")
    if not actor.strip() or len(actor) > ACTOR_CHARACTERS or not actor.isprintable():
        told = f"A key of the role {role.value} names its actor, in at most {ACTOR_CHARACTERS} characters."
        raise InvalidInput("invalid_actor", told, "actor")


def require_workspace_id(text: str) -> str:
    """A workspace id: 1 to 40 lower-case letters, digits and hyphens. Raises InvalidInput."""
    if not WORKSPACE_ID.fullmatch(text):
        raise InvalidInput(
            "invalid_workspace", "A workspace id is 1 to 40 lower-case letters, digits and hyphens.", "workspace"
        )
    return text


def require_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a workspace, each as it is kept. Raises InvalidInput with a code for each thing that is wrong.

    `default_from` and `default_country` may be empty, for none. `identifiers` says of each kind of identifier its
    `limit`, `priority` and `blocked` patterns; what it leaves out is as everywhere.
    """
    checks = {
        "default_from": _sender,
        "public_url": _public_url,
        "reply_to": _sender,
        "hidden_link": _hidden_link,
        "rates": _rates,
        "machine_ranges": _ranges,
        "default_country": _country,
        "identifiers": _identifiers,
        "publishable_keys_may_change_addresses": _yes_or_no,
        "mirror_account_suppression": _mirror,
        "time_zone": _time_zone,
        "inbound_address": _inbound_address,
        "signed_replies": _signed_replies,
    }
    for name in settings:
        if name not in checks:
            raise InvalidInput("unknown_setting", "There is no such setting of a workspace.", name)
    return {name: checks[name](value) for name, value in settings.items()}


def _sender(value: Any) -> str:
    if not isinstance(value, str) or (value and "@" not in parseaddr(value)[1]):
        raise InvalidInput("invalid_sender", "The sender is no address, such as Acme <hello@acme.example>.", "from")
    return value


def _public_url(value: Any) -> str:
    parts = urlsplit(value) if isinstance(value, str) else urlsplit("")
    host = parts.hostname or ""
    # Names below .localhost lead to this machine and nowhere else (RFC 6761, 6.3).
    local = parts.scheme == "http" and (host in ("127.0.0.1", "localhost") or host.endswith(".localhost"))
    plain = not parts.query and not parts.fragment and "@" not in parts.netloc
    written = isinstance(value, str) and len(value) <= PUBLIC_URL_CHARACTERS and bool(_ADDRESS.fullmatch(value))
    if value and not (written and host and plain and (parts.scheme == "https" or local)):
        told = "The address of links in mails begins with https://, such as https://mail.acme.example."
        raise InvalidInput("invalid_public_url", told, "public_url")
    return str(value).rstrip("/")


def _country(value: Any) -> str:
    import phonenumbers  # late: only operators come here, and it takes a while

    country = value.strip().upper() if isinstance(value, str) else "?"
    if country and country not in phonenumbers.SUPPORTED_REGIONS:
        told = "The country is two letters of ISO 3166 whose phone numbers are known, such as PL."
        raise InvalidInput("invalid_country", told, "default_country")
    return country


def _yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        told = "Publishable keys may change addresses, or not."
        raise InvalidInput("invalid_type", told, "publishable_keys_may_change_addresses")
    return value


def _hidden_link(value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput("invalid_type", "Marketing mails have a link for machines, or not.", "hidden_link")
    return value


def _rates(value: Any) -> dict[str, Any]:
    from tidings.accounts.sending import require_rates  # late: only operators come here

    return require_rates(value)


def _ranges(value: Any) -> list[str]:
    from tidings.accounts.sending import require_ranges  # late, as above

    return require_ranges(value)


def _mirror(value: Any) -> bool:
    if not isinstance(value, bool):
        told = "The account's suppression list is mirrored, or not."
        raise InvalidInput("invalid_type", told, "mirror_account_suppression")
    return value


def _inbound_address(value: Any) -> str:
    text = value.strip().lower() if isinstance(value, str) else "?"
    local, _, domain = text.rpartition("@")
    # What comes in at `name+more` is for `name`, and `reply+…` is signed by us.
    plain = _INBOUND.fullmatch(local) and local != "reply" and _DOMAIN.fullmatch(domain) and len(text) <= 254
    if text and not plain:
        told = "The inbound address is one such as hello@in.acme.example: no plus sign, no name, and not reply@."
        raise InvalidInput("invalid_inbound_address", told, "inbound_address")
    return text


def _signed_replies(value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput("invalid_type", "All mails ask for answers at signed addresses, or not.", "signed_replies")
    return value


def _time_zone(value: Any) -> str:
    from zoneinfo import available_timezones  # late, as above

    if not isinstance(value, str) or (value and value not in available_timezones()):
        told = "The time zone is one of the IANA database, such as Europe/Warsaw; empty for UTC."
        raise InvalidInput("invalid_time_zone", told, "time_zone")
    return value


def _identifiers(told: Any) -> dict[str, dict[str, Any]]:
    checks = {"limit": _limit, "priority": _priority, "blocked": _blocked}
    for kind, rules in told.items():
        if kind not in LIMITS:
            raise InvalidInput("unknown_identifier", f"An identifier is one of {', '.join(LIMITS)}.", kind)
        for name in rules:
            if name not in checks:
                raise InvalidInput("unknown_setting", "There is no such setting of an identifier.", name)
    return {
        kind: {name: checks[name](kind, value) for name, value in rules.items()}
        for kind, rules in told.items()
        if rules
    }


def _limit(kind: str, value: Any) -> int | None:
    if kind == "user" and value != 1:
        raise InvalidInput("fixed_limit", "A contact has one user id: users are never merged.", "limit")
    if kind == "anon" and value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LIMIT_MOST:
        more = ", or none" if kind == "anon" else ""
        raise InvalidInput("invalid_identifier_limit", f"A limit is a number from 1 to {LIMIT_MOST}{more}.", "limit")
    return value


def _priority(kind: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= PRIORITY_MOST:
        told = f"A priority is a number from 0, which is first, to {PRIORITY_MOST}."
        raise InvalidInput("invalid_priority", told, "priority")
    return value


def _blocked(kind: str, value: Any) -> list[str]:
    from tidings.accounts.patterns import CHARACTERS, WAYS, ways  # late: only operators come here

    if len(value) > PATTERNS_MOST:
        told = f"Of one kind of identifier at most {PATTERNS_MOST} patterns are blocked."
        raise InvalidInput("too_many_patterns", told, "blocked")
    for pattern in value:
        if len(pattern) > CHARACTERS:
            raise InvalidInput("pattern_too_long", f"A pattern is at most {CHARACTERS} characters.", "blocked")
        try:
            costly = ways(pattern) > WAYS
        except (re.error, OverflowError, RecursionError) as error:
            raise InvalidInput("invalid_pattern", f"This is no regular expression: {error}.", "blocked") from error
        if costly:
            told = "This pattern can take too long: repeat nothing that is itself repeated or has arms of its own."
            raise InvalidInput("pattern_too_costly", told, "blocked")
    return list(value)
