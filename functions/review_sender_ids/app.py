"""Woken by the machines in which requests for sender IDs wait: registers waits, reminds, expires, and asks AWS."""

from __future__ import annotations

from typing import Any

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.core.clock import SystemClock
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.sms.sender_id_gateway import ReviewMachine, SmsVoiceSenderIds
from tidings.sms.sender_id_review import SenderIdReview
from tidings.sms.sender_id_store import DynamoSenderIdStore

settings = Settings.read()
database = Database(settings)
review = SenderIdReview(
    DynamoSenderIdStore(database),
    DynamoWorkspaceStore(database),
    SmsVoiceSenderIds(),
    ReviewMachine(settings.require("MACHINE_SENDER_IDS_ARN")),
    SystemClock(),
)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """One step of a machine; what is next, for its Choice. A fault is raised, for the machine to repeat the step."""
    about = (event["workspace"], event["sender_id"], event["request"])
    if event["do"] == "wait":
        review.wait(*about, event["token"])
        return {}
    if event["do"] == "tick":
        return review.tick(*about, event["step"], event["number"]).as_dict()
    return review.work(*about).as_dict()
