"""Names of the events that Tidings itself puts on a timeline, which a trigger, a wait or a condition may name."""

from __future__ import annotations

from tidings.activity.model import FORM, SYSTEM, Event

# By which somebody is asked into one automation; their property `automation` names it.
REQUESTED = "Automation Requested"
DATE_REACHED = "Date Reached"

OF_EMAIL = ("Sent", "Skipped", "Delivered", "Delayed", "Bounced", "Rejected", "Rendering Failed", "Marked as Spam",
            "Opened", "Opened by Machine", "Link Clicked", "Link Clicked by Machine", "Unsubscribed",
            "Subscription Changed", "Received")  # fmt: skip
OF_SMS = ("Sent", "Skipped", "Delivered", "Delayed", "Undelivered", "Read", "Fallen Back", "Link Clicked",
          "Link Clicked by Machine", "Received")  # fmt: skip
OF_CONVERSATIONS = ("Opened", "Replied", "Taken", "Transferred", "Held", "Resumed", "Resolved", "Noted")

# What comes after a message without anybody doing anything. Opens and clicks are people's, if not always theirs.
OF_SENDING = frozenset(
    {
        "Email Sent",
        "Email Skipped",
        "Email Delivered",
        "Email Delayed",
        "Email Bounced",
        "Email Rejected",
        "Email Rendering Failed",
        "Email Opened by Machine",
        "Email Link Clicked by Machine",
        "SMS Sent",
        "SMS Skipped",
        "SMS Delivered",
        "SMS Undelivered",
        "SMS Delayed",
        "SMS Fallen Back",
        "SMS Link Clicked by Machine",
    }
)

# What is about messages: what became of them, and what the person wrote.
OF_MESSAGES = frozenset({*(f"Email {name}" for name in OF_EMAIL), *(f"SMS {name}" for name in OF_SMS)})

OWN_EVENTS = frozenset(
    {
        *OF_MESSAGES,
        *(f"Conversation {name}" for name in OF_CONVERSATIONS),
        *("Contact Created", "Contact Updated", "Contacts Merged", "Change Refused", "Form Submitted"),
        *("Consent Given", "Consent Withdrawn", "Consent Asked"),
    }
)


def is_pretended(event: Event) -> bool:
    """Whether somebody with a key that anybody can read in a browser reports what only Tidings can know.

    Nothing comes of it: it starts and ends nothing, and no condition counts it. A server's word is taken: it may tell
    of messages that other systems sent.
    """
    own = event.name in OWN_EVENTS or event.name in (REQUESTED, DATE_REACHED)
    return own and event.publishable and event.type not in (SYSTEM, FORM)
