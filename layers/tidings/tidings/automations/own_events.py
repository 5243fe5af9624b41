"""Names of the events that Tidings itself puts on a timeline, which a trigger or a wait may name."""

from __future__ import annotations

OF_EMAIL = ("Sent", "Skipped", "Delivered", "Delayed", "Bounced", "Rejected", "Rendering Failed", "Marked as Spam",
            "Opened", "Opened by Machine", "Link Clicked", "Link Clicked by Machine", "Unsubscribed",
            "Subscription Changed", "Received")  # fmt: skip
OF_SMS = ("Sent", "Skipped", "Delivered", "Delayed", "Undelivered", "Read", "Fallen Back", "Link Clicked",
          "Link Clicked by Machine", "Received")  # fmt: skip
OF_CONVERSATIONS = ("Opened", "Replied", "Taken", "Transferred", "Held", "Resumed", "Resolved", "Noted")

OWN_EVENTS = frozenset(
    {
        *(f"Email {name}" for name in OF_EMAIL),
        *(f"SMS {name}" for name in OF_SMS),
        *(f"Conversation {name}" for name in OF_CONVERSATIONS),
        *("Contact Created", "Contact Updated", "Contacts Merged", "Change Refused", "Form Submitted"),
        *("Consent Given", "Consent Withdrawn", "Consent Asked"),
    }
)
