"""The names that messages may leave from, by country."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tidings.sms.countries import Names, rule_of
from tidings_cli.carriers.database import Database
from tidings_cli.carriers.sms.errors import conflict, invalid, missing
from tidings_cli.carriers.sms.shelf import Record, Shelf

PATTERN = re.compile(r"(?=.*[A-Za-z])(?!-)[A-Za-z0-9_-]{1,11}(?<!-)")
TYPES = ["TRANSACTIONAL", "PROMOTIONAL"]
_ALWAYS_THERE = (("TIDINGS", "PL"), ("TIDINGS", "GB"))


class SenderIds:
    """Names that were asked for, and those that a registration brought."""

    def __init__(self, database: Database) -> None:
        self._shelf = Shelf(database, "sender-id")
        self._tokens = Shelf(database, "sender-id-token")
        if not database.rows("SELECT 1 FROM settings WHERE name = 'sms_senders'"):
            with database.transaction():
                for name, country in _ALWAYS_THERE:
                    self.add(name, country)
                database.change("INSERT INTO settings VALUES ('sms_senders', 'there')")

    def all(self) -> list[Record]:
        """Every name with its country, oldest first."""
        return list(self._shelf.all().values())

    def owned(self, name: str) -> bool:
        """Whether the account has this name anywhere."""
        return any(one["SenderId"] == name for one in self.all())

    def get(self, name: str, country: str) -> Record | None:
        """A name in a country."""
        return self._shelf.get(f"{name}/{country}")

    def need(self, name: str, country: str) -> Record:
        """The same; `name` may be an ARN. Raises ResourceNotFoundException."""
        bare = name.rpartition(":sender-id/")[2].split("/")[0]
        found = self.get(bare, country)
        if found is None:
            raise missing("sender-id", f"{bare}/{country}")
        return found

    def add(
        self,
        name: str,
        country: str,
        kinds: Sequence[str] = (),
        protected: bool = False,
        registration: str = "",
        registered: bool = False,
        tags: Sequence[Mapping[str, str]] = (),
    ) -> Record:
        """Let the account have a name in a country."""
        record: Record = {
            "SenderId": name,
            "IsoCountryCode": country,
            "MessageTypes": list(kinds or TYPES),
            "MonthlyLeasingPrice": "0.00",
            "DeletionProtectionEnabled": protected,
            "Registered": registered,
        }
        record |= {"RegistrationId": registration} if registration else {}
        record |= {"Tags": list(tags)} if tags else {}
        self._shelf.put(f"{name}/{country}", record)
        return record

    def request(self, body: Mapping[str, Any]) -> Record:
        """RequestSenderId: for countries that want no registration. The same token asks for the same thing once."""
        name, country = str(body.get("SenderId") or ""), str(body.get("IsoCountryCode") or "")
        if not PATTERN.fullmatch(name):
            raise invalid("Invalid value of SenderId.", "FIELD_VALIDATION_FAILED", ["SenderId"])
        if not re.fullmatch(r"[A-Z]{2}", country):
            raise invalid("Invalid value of IsoCountryCode.", "FIELD_VALIDATION_FAILED", ["IsoCountryCode"])
        token = str(body.get("ClientToken") or "")
        if token and (asked := self._tokens.get(token)):
            if (asked["SenderId"], asked["IsoCountryCode"]) != (name, country):
                raise invalid("The token was used for another sender ID", "INVALID_REQUEST", ["ClientToken"])
            return self.need(name, country)
        _require_free(name, country)
        if self.get(name, country) is not None:
            raise conflict(f"{name} is there in {country}", "RESOURCE_ALREADY_EXISTS", "sender-id", f"{name}/{country}")
        protected = bool(body.get("DeletionProtectionEnabled"))
        added = self.add(name, country, body.get("MessageTypes") or (), protected, tags=body.get("Tags") or ())
        if token:
            self._tokens.put(token, {"SenderId": name, "IsoCountryCode": country})
        return added

    def release(self, name: str, country: str) -> Record:
        """ReleaseSenderId."""
        found = self.need(name, country)
        key = f"{found['SenderId']}/{country}"
        if found["DeletionProtectionEnabled"]:
            raise conflict("The sender ID is protected", "DELETION_PROTECTION_ENABLED", "sender-id", key)
        self._shelf.remove(key)
        for token, asked in self._tokens.all().items():
            if f"{asked['SenderId']}/{asked['IsoCountryCode']}" == key:
                self._tokens.remove(token)
        return found


def _require_free(name: str, country: str) -> None:
    """Raises ValidationException unless a name can be had in a country for the asking."""
    match rule_of(country).sender_id:
        case Names.NOT_SUPPORTED:
            raise invalid(f"{country} takes no sender IDs", "SENDER_ID_NOT_SUPPORTED", ["IsoCountryCode"])
        case Names.REGISTRATION:
            reason = "SENDER_ID_REQUIRES_REGISTRATION"
            raise invalid(f"{name} must be registered in {country}", reason, ["IsoCountryCode"])
