"""End User Messaging's sender IDs in the test's hands, and what people do about them through the API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.support.texts import fail
from tests.support.world import WORKSPACE, World
from tidings.accounts.model import KeyKind, Role
from tidings.accounts.store import DynamoWorkspaceStore

Arguments = dict[str, Any]
Answer = tuple[int, dict[str, Any]]
NAME = "TIDINGS"
ASKED = {"name": NAME, "countries": ["PL"], "purpose": "Bookings of our salons.", "sample": "Your visit is tomorrow."}
EACH = "/v1/sender-ids/{sender_id}"


@dataclass
class FakeSenderIds:
    """The sender IDs of an account: each by name and country, with whether it is registered."""

    held: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)
    registrations: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    """The error code that RequestSenderId ends with, by country."""

    @classmethod
    def of(cls, world: World) -> FakeSenderIds:
        """Let a world's End User Messaging have sender IDs."""
        fake = cls()
        world.sms.answers |= {
            "DescribeSenderIds": fake.describe,
            "RequestSenderId": fake.request,
            "ReleaseSenderId": fake.release,
            "DescribeRegistrations": fake.describe_registrations,
        }
        return fake

    def describe(self, arguments: Arguments) -> dict[str, Any]:
        (asked,) = arguments["SenderIds"]
        found = self.held.get((asked["SenderId"], asked["IsoCountryCode"]))
        if found is None:
            fail("ResourceNotFoundException", "DescribeSenderIds")
        return {"SenderIds": [found]}

    def request(self, arguments: Arguments) -> dict[str, Any]:
        name, country = arguments["SenderId"], arguments["IsoCountryCode"]
        if code := self.refused.get(country):
            fail(code, "RequestSenderId")
        if (name, country) in self.held and arguments["ClientToken"] not in self.tokens:
            fail("ConflictException", "RequestSenderId")
        self.tokens.append(arguments["ClientToken"])
        held = {
            "SenderIdArn": f"arn:aws:sms-voice:us-east-1:123456789012:sender-id/{name}/{country}",
            "SenderId": name,
            "IsoCountryCode": country,
            "MessageTypes": arguments["MessageTypes"],
            "MonthlyLeasingPrice": "0.00",
            "DeletionProtectionEnabled": False,
            "Registered": False,
        }
        self.held[name, country] = held
        return held

    def release(self, arguments: Arguments) -> dict[str, Any]:
        found = self.held.pop((arguments["SenderId"], arguments["IsoCountryCode"]), None)
        if found is None:
            fail("ResourceNotFoundException", "ReleaseSenderId")
        return {name: value for name, value in (found or {}).items() if name != "DeletionProtectionEnabled"}

    def describe_registrations(self, arguments: Arguments) -> dict[str, Any]:
        (asked,) = arguments["RegistrationIds"]
        if asked not in self.registrations:
            fail("ResourceNotFoundException", "DescribeRegistrations")
        one = {
            "RegistrationArn": f"arn:aws:sms-voice:us-east-1:123456789012:registration/{asked}",
            "RegistrationId": asked,
            "RegistrationType": "TR_SENDER_ID_REGISTRATION",
            "RegistrationStatus": self.registrations[asked],
            "CurrentVersionNumber": 1,
            "CreatedTimestamp": 1795251600,
        }
        return {"Registrations": [one]}

    def register(self, name: str, country: str, registration: str, status: str) -> None:
        """Let somebody open a registration in AWS's console."""
        self.held[name, country]["RegistrationId"] = registration
        self.registrations[registration] = status


class People:
    """Who runs Tidings and who answers for the workspace, each with a key, and what they do."""

    def __init__(self, world: World) -> None:
        self.world = world
        with world.recorder.unseen():
            for name, role in (("staff", Role.STAFF), ("admin", Role.ADMINISTRATOR), ("agent", Role.AGENT)):
                person = f"{name}@acme.example"
                world.keys[name] = world.accounts.create_key(WORKSPACE, KeyKind.SECRET, name, role, person)

    def request(self, key: str = "secret", **changes: Any) -> Answer:
        return self.world.call("sender_ids", "POST /v1/sender-ids", {**ASKED, **changes}, key)

    def decide(self, decision: str, key: str, name: str = NAME, **body: Any) -> Answer:
        path = {"sender_id": name, "decision": decision}
        return self.world.call("sender_ids", f"POST {EACH}/{{decision}}", body or None, key, path=path)

    def verify(self, key: str = "staff") -> Answer:
        return self.decide("verify", key)

    def accept(self, key: str = "admin") -> Answer:
        return self.decide("accept", key)

    def retire(self, key: str = "admin", name: str = NAME) -> Answer:
        return self.world.call("sender_ids", f"DELETE {EACH}", key=key, path={"sender_id": name})

    def show(self, name: str = NAME, key: str = "secret") -> dict[str, Any]:
        status, answer = self.world.call("sender_ids", f"GET {EACH}", key=key, path={"sender_id": name})
        assert status == 200, answer
        return answer

    def log(self, name: str = NAME, **query: str) -> list[tuple[str, str]]:
        """What changed and who did it, the first first."""
        path = {"sender_id": name}
        status, answer = self.world.call("sender_ids", f"GET {EACH}/log", path=path, query=query)
        assert status == 200, answer
        return [(entry["what"], entry["who"]) for entry in reversed(answer["log"])]

    def activate(self, **changes: Any) -> None:
        """A request with both approvals, and all that comes of it at once."""
        for status, answer in (self.request(**changes), self.run(), self.verify(), self.run(), self.accept()):
            assert status == 200, answer
        self.run()

    def run(self) -> Answer:
        """Let the machines do what they can without time passing."""
        self.world.run()
        return 200, {}

    def told(self, workspace: str = WORKSPACE) -> dict[str, Any]:
        """What sends read of the workspace's sender IDs, without the one that the world begins with."""
        with self.world.recorder.unseen():
            found = DynamoWorkspaceStore(self.world.database).get(workspace, consistent=True)
        assert found
        return {name: states for name, states in found.sms["sender_ids"].items() if name != "ACME"}
