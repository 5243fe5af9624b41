"""Registrations: how a name is asked for where a country wants to know who sends.

AWS and the country look at a registration for days. Here a person does, at the outbox, and completes or denies it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tidings.core.clock import Clock
from tidings.core.errors import Conflict, NotFound
from tidings_cli.carriers.database import Database
from tidings_cli.carriers.sms.errors import conflict, invalid, missing
from tidings_cli.carriers.sms.sender_ids import PATTERN, SenderIds
from tidings_cli.carriers.sms.shelf import Record, Shelf

_TYPE = re.compile(r"[A-Z]{2}_[A-Z0-9_]*REGISTRATION")
_SUBMITTED = ("SUBMITTED", "AWS_REVIEWING", "REVIEWING")
_FIELD = "senderIdInfo.senderId"
_ASKS_FOR = "senderid"  # the field, in whatever section, that holds the name


class Registrations:
    """Registrations with their versions. A record has `id`, `type`, `status`, `created`, `versions`, `resources`."""

    def __init__(self, database: Database, senders: SenderIds, clock: Clock) -> None:
        self._shelf = Shelf(database, "registration")
        self._tokens = Shelf(database, "registration-token")
        self._senders = senders
        self._clock = clock

    def all(self) -> list[Record]:
        """Every registration, oldest first."""
        return list(self._shelf.all().values())

    def need(self, identity: str) -> Record:
        """A registration by its id or ARN. Raises ResourceNotFoundException."""
        found = self._shelf.get(identity.rpartition(":registration/")[2])
        if found is None:
            raise missing("registration", identity)
        return found

    def create(self, body: Mapping[str, Any]) -> Record:
        """CreateRegistration; the same token makes one."""
        kind, token = str(body.get("RegistrationType") or ""), str(body.get("ClientToken") or "")
        if not _TYPE.fullmatch(kind):
            raise invalid(f"There is no registration {kind}", "UNKNOWN_REGISTRATION_TYPE", ["RegistrationType"])
        if token and (made := self._tokens.get(token)):
            return self.need(made["id"])
        record: Record = {
            "id": f"registration-{len(self.all()) + 1:032x}",
            "type": kind,
            "status": "CREATED",
            "created": self._now(),
            "versions": [self._draft()],
            "resources": [],
        }
        self._shelf.put(record["id"], record)
        if token:
            self._tokens.put(token, {"id": record["id"]})
        return record

    def put_field(self, body: Mapping[str, Any]) -> Record:
        """PutRegistrationFieldValue, into the version that is being written."""
        record = self.need(str(body.get("RegistrationId") or ""))
        version = record["versions"][-1]
        if version["status"] != "DRAFT":
            raise conflict(
                "It was submitted", "EDIT_REGISTRATION_FIELD_VALUES_NOT_ALLOWED", "registration", record["id"]
            )
        path = str(body.get("FieldPath") or "")
        if not re.fullmatch(r"[A-Za-z0-9_.]{1,100}", path):
            raise invalid("Invalid value of FieldPath.", "UNKNOWN_REGISTRATION_FIELD", ["FieldPath"])
        given = {key: body[key] for key in ("TextValue", "SelectChoices", "RegistrationAttachmentId") if body.get(key)}
        version["fields"][path] = given
        self._shelf.put(record["id"], record)
        return record

    def associate(self, body: Mapping[str, Any]) -> tuple[Record, Record]:
        """CreateRegistrationAssociation of a sender ID; answers the registration and the name."""
        record = self.need(str(body.get("RegistrationId") or ""))
        resource = str(body.get("ResourceId") or "").rpartition(":sender-id/")[2]
        name, _, country = resource.partition("/")
        found = self._senders.need(name, country or record["type"][:2])
        key = f"{found['SenderId']}/{found['IsoCountryCode']}"
        if key in record["resources"]:
            raise conflict(f"{key} is associated already", "RESOURCE_ALREADY_ASSOCIATED", "sender-id", key)
        record["resources"].append(key)
        self._shelf.put(record["id"], record)
        return record, found

    def submit(self, identity: str) -> Record:
        """SubmitRegistrationVersion: from here on somebody decides."""
        record = self.need(identity)
        version = record["versions"][-1]
        if version["status"] != "DRAFT":
            raise conflict("There is no draft", "SUBMIT_REGISTRATION_VERSION_NOT_ALLOWED", "registration", record["id"])
        if not _names(record):
            raise invalid("The sender ID is missing", "MISSING_PARAMETER", ["senderId"])
        version["status"] = "SUBMITTED"
        version["history"]["SubmittedTimestamp"] = self._now()
        record["status"] = "SUBMITTED"
        self._shelf.put(record["id"], record)
        for name, country in _names(record):
            self._attach(record, name, country, registered=False)
        return record

    def file(self, name: str, country: str) -> Record:
        """Create, fill in and submit a registration in one go. Raises AwsError."""
        record = self.create({"RegistrationType": f"{country}_SENDER_ID_REGISTRATION"})
        self.put_field({"RegistrationId": record["id"], "FieldPath": _FIELD, "TextValue": name})
        return self.submit(record["id"])

    def create_version(self, identity: str) -> Record:
        """CreateRegistrationVersion: the next try after one that was denied."""
        record = self.need(identity)
        if record["versions"][-1]["status"] != "DENIED":
            raise conflict(
                "Nothing was denied", "CREATE_REGISTRATION_VERSION_NOT_ALLOWED", "registration", record["id"]
            )
        fields = record["versions"][-1]["fields"]
        record["versions"].append(self._draft() | {"fields": fields})
        self._shelf.put(record["id"], record)
        return record

    def delete(self, identity: str) -> Record:
        """DeleteRegistration: not while it is looked at, nor while a name stands on it."""
        record = self.need(identity)
        if record["status"] in (*_SUBMITTED, "COMPLETE"):
            raise conflict("It is in use", "RESOURCE_DELETION_NOT_ALLOWED", "registration", record["id"])
        self._shelf.remove(record["id"])
        return record | {"status": "DELETED"}

    def decide(self, registration: str, complete: bool, reason: str = "") -> Record:
        """What AWS or the country makes of it, as a person at the outbox says. Raises NotFound or Conflict."""
        record = self._shelf.get(registration)
        if record is None:
            raise NotFound("unknown_registration", f"There is no registration {registration}")
        if record["status"] not in _SUBMITTED:
            raise Conflict("not_submitted", f"The registration is {record['status'].lower()}, nobody looks at it")
        version = record["versions"][-1]
        version["status"] = "APPROVED" if complete else "DENIED"
        version["history"]["ApprovedTimestamp" if complete else "DeniedTimestamp"] = self._now()
        version["reason"] = "" if complete else reason or "Denied at the outbox"
        record["status"] = "COMPLETE" if complete else "REQUIRES_UPDATES"
        self._shelf.put(record["id"], record)
        for name, country in _names(record):
            self._attach(record, name, country, complete)
        return record

    def _attach(self, record: Record, name: str, country: str, registered: bool) -> None:
        """Let a name stand on a registration: it is there from the submission on, and of use once that is complete."""
        known = self._senders.get(name, country) or {}
        if not known.get("Registered"):
            kinds = known.get("MessageTypes") or ()
            self._senders.add(name, country, kinds, registration=record["id"], registered=registered)

    def _draft(self) -> Record:
        return {"status": "DRAFT", "history": {"DraftTimestamp": self._now()}, "fields": {}, "reason": ""}

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


def describe(record: Record, arn: str) -> dict[str, Any]:
    """A registration as the service shows it."""
    about = {
        "RegistrationArn": arn,
        "RegistrationId": record["id"],
        "RegistrationType": record["type"],
        "RegistrationStatus": record["status"],
        "CurrentVersionNumber": len(record["versions"]),
        "CreatedTimestamp": record["created"],
    }
    for status, member in (("APPROVED", "ApprovedVersionNumber"), ("DENIED", "LatestDeniedVersionNumber")):
        numbers = [number for number, one in enumerate(record["versions"], 1) if one["status"] == status]
        about |= {member: numbers[-1]} if numbers else {}
    return about


def describe_version(record: Record, number: int) -> dict[str, Any]:
    """A version as the service shows it."""
    version = record["versions"][number - 1]
    about = {
        "VersionNumber": number,
        "RegistrationVersionStatus": version["status"],
        "RegistrationVersionStatusHistory": version["history"],
    }
    if version["reason"]:
        about["DeniedReasons"] = [{"Reason": "OTHER", "ShortDescription": version["reason"]}]
    return about


def names(record: Record) -> list[str]:
    """The names that a registration is about, each with its country: `ACME/SG`."""
    return [f"{name}/{country}" for name, country in _names(record)]


def _names(record: Record) -> list[tuple[str, str]]:
    """What is associated, and what the form asks for in the country that the registration's type begins with."""
    found = [tuple(resource.split("/", 1)) for resource in record["resources"]]
    for path, given in record["versions"][-1]["fields"].items():
        name = str(given.get("TextValue") or "")
        if path.rpartition(".")[2].lower().replace("_", "") == _ASKS_FOR and PATTERN.fullmatch(name):
            found.append((name, record["type"][:2]))
    return list(dict.fromkeys((name, country) for name, country in found))
