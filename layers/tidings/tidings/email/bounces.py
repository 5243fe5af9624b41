"""What bounces and complaints mean: which of them reports count as what, and whom they suppress."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from tidings.consent.model import Reason
from tidings.email.model import Feedback

# https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html#bounce-types
_REFUSED_FOR_CONTENT = frozenset({"ContentRejected", "AttachmentRejected"})
_NEVER_COUNT = _REFUSED_FOR_CONTENT | {"MessageTooLarge"}
# Servers that take a mail for spam say so in words: the code 5.7.1 alone stands for any matter of policy (RFC 3463).
_AS_SPAM = re.compile(r"\bspam|\bjunk|\bunsolicited|\bblock(?:ed )?list|\bblacklist|\bspamhaus|\bbad reputation", re.I)


class Bounce(StrEnum):
    """What a bounce is counted as: the milestone of its message."""

    HARD = "hard_bounced"
    SOFT = "soft_bounced"
    SPAM = "spam_bounced"


def bounce_of(feedback: Feedback) -> Bounce:
    """What reports count a bounce as.

    Spam is what was refused for its content, or as spam by the receiving server's own words, for good or not. Of the
    rest what is permanent is hard, and all else, also what SES could not determine, soft.
    """
    if feedback.details.get("bounceSubType") in _REFUSED_FOR_CONTENT or _says_spam(feedback):
        return Bounce.SPAM
    return Bounce.HARD if _is_permanent(feedback) else Bounce.SOFT


def suppresses(feedback: Feedback) -> Reason | None:
    """Why the recipients must not be written to again: a permanent bounce or a complaint; None for anything else.

    A complaint that says it is none (`not-spam`) suppresses nobody.
    """
    if is_complaint(feedback):
        return Reason.COMPLAINT
    return Reason.BOUNCE if feedback.kind == "Bounce" and _is_permanent(feedback) else None


def is_complaint(feedback: Feedback) -> bool:
    """Whether somebody complained; `not-spam` is a report that a mail had been taken for spam wrongly."""
    return feedback.kind == "Complaint" and feedback.details.get("complaintFeedbackType") != "not-spam"


def counts(feedback: Feedback) -> bool:
    """Whether a bounce is one of the five in a row: it passes, and neither size nor content was the reason."""
    if feedback.kind != "Bounce" or _is_permanent(feedback):
        return False
    return bounce_of(feedback) is Bounce.SOFT and feedback.details.get("bounceSubType") not in _NEVER_COUNT


def _is_permanent(feedback: Feedback) -> bool:
    return feedback.details.get("bounceType") == "Permanent"


def _says_spam(feedback: Feedback) -> bool:
    listed = feedback.details.get("bouncedRecipients")
    told = [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []
    return any(_AS_SPAM.search(str(one.get("diagnosticCode") or "")) for one in told)
