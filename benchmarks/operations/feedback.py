"""What SES reports, and what is settled by a schedule or by the end of an execution."""

from __future__ import annotations

import json
from typing import Any

from tests.support.world import World

from benchmarks.operations.costs import Preparation, Step, operation
from benchmarks.operations.preparing import SES_ID, automated, known, sent, told
from benchmarks.samples import from_python

TO = "ada@people.example"
FEEDBACK: dict[str, dict[str, Any]] = {
    "Send": {},
    "Delivery": {"recipients": [TO], "processingTimeMillis": 812, "smtpResponse": "250 2.6.0 Message received"},
    "Open": {"ipAddress": "203.0.113.9", "userAgent": "Mozilla/5.0 (Windows NT 5.1) GmailImageProxy"},
    "Click": {"ipAddress": "203.0.113.9", "userAgent": "Mozilla/5.0", "link": "https://acme.example", "linkTags": None},
    "Bounce": {
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "bouncedRecipients": [{"emailAddress": TO}],
        "feedbackId": "0100019",
    },
    "Complaint": {"complainedRecipients": [{"emailAddress": TO}], "complaintFeedbackType": "abuse", "feedbackId": "01"},
    "DeliveryDelay": {"delayType": "MailboxFull", "delayedRecipients": [{"emailAddress": TO}]},
    "Reject": {"reason": "Bad content"},
}


def feedback(kind: str) -> Preparation:
    """SES reports something about a mail that it accepted."""

    def prepare(world: World) -> Step:
        notification = world.ses.event(kind, sent(world), **FEEDBACK[kind])
        notification["mail"]["messageId"] = SES_ID
        return lambda: world.feedback(notification, pump=False)

    return prepare


for _kind in FEEDBACK:
    operation("feedback", _kind)(feedback(_kind))


@operation("settling", "an execution that ended")
def settle_execution(world: World) -> Step:
    """EventBridge tells that an execution is over."""
    automated(world)
    arn, given = list(world.started.items())[-1]
    detail = {"executionArn": arn, "status": "SUCCEEDED", "input": given}
    return lambda: world.invoke("settle_executions", {"detail": detail})


@operation("settling", "claims, none of them old")
def settle_messages(world: World) -> Step:
    """The schedule, when there is nothing to do."""
    return lambda: world.invoke("settle_messages", {})


@operation("settling", "a pending enrolment")
def start_pending(world: World) -> Step:
    """Step Functions had no room before."""
    automated(world)
    known(world, "ada")
    world.start_failures.append("ThrottlingException")
    told(world, from_python("track", "ada", event="Signed Up"))()
    (reference,) = world.messages_in("starts")
    return lambda: world.invoke("start_enrolments", {"Records": [{"messageId": "q", "body": json.dumps(reference)}]})
