"""The phone numbers of the account in the test's hands: what End User Messaging says of them, and sets."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.support.texts import FakeSms, fail

Arguments = dict[str, Any]


class FakeNumbers:
    """Numbers by E.164; what a test changes in `held` is what the service says from then on."""

    def __init__(self, sms: FakeSms, created_at: datetime) -> None:
        self.held: dict[str, Arguments] = {}
        self._created_at = created_at
        sms.answers |= {"DescribePhoneNumbers": self._describe, "UpdatePhoneNumber": self._update}

    def add(self, number: str, **more: Any) -> None:
        """Let the account have a number: one that sends, and receives nothing unless the test says so."""
        self.held[number] = {
            "PhoneNumberArn": f"arn:aws:sms-voice:us-east-1:123456789012:phone-number/phone-{number[1:]}",
            "PhoneNumberId": f"phone-{number[1:]}",
            "PhoneNumber": number,
            "Status": "ACTIVE",
            "IsoCountryCode": "PL",
            "MessageType": "TRANSACTIONAL",
            "NumberCapabilities": ["SMS"],
            "NumberType": "LONG_CODE",
            "MonthlyLeasingPrice": "1.00",
            "TwoWayEnabled": False,
            "SelfManagedOptOutsEnabled": False,
            "OptOutListName": "Default",
            "DeletionProtectionEnabled": False,
            "CreatedTimestamp": self._created_at,
            **more,
        }

    def _describe(self, arguments: Arguments) -> Arguments:
        """One number a page, so that whoever looks for one turns them."""
        every = list(self.held.values())
        place = int(arguments.get("NextToken", "0"))
        more = {"NextToken": str(place + 1)} if place + 1 < len(every) else {}
        return {"PhoneNumbers": every[place : place + 1], **more}

    def _update(self, arguments: Arguments) -> Arguments:
        changes = dict(arguments)
        identity = changes.pop("PhoneNumberId")
        for held in self.held.values():
            if held["PhoneNumberId"] == identity:
                held |= changes
                return {"PhoneNumberId": identity, "PhoneNumber": held["PhoneNumber"]}
        fail("ResourceNotFoundException", "UpdatePhoneNumber")
        return {}
