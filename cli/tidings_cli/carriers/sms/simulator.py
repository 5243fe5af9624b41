"""What becomes of a text message: delivered, unless its number is one that stands for something else."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Turn:
    """A step of a message: the event's type, its status, and whether nothing is to come after it."""

    type: str
    status: str
    description: str
    final: bool = True


TURNS = {
    turn.type: turn
    for turn in (
        Turn("TEXT_PENDING", "PENDING", "Message is on its way", final=False),
        Turn("TEXT_QUEUED", "QUEUED", "Message is queued for delivery", final=False),
        Turn("TEXT_SUCCESSFUL", "SUCCESSFUL", "Message has been accepted by the carrier", final=False),
        Turn("TEXT_DELIVERED", "DELIVERED", "Message has been accepted by phone"),
        Turn("TEXT_INVALID", "INVALID", "Phone number is invalid"),
        Turn("TEXT_INVALID_MESSAGE", "INVALID_MESSAGE", "Body of the message is invalid"),
        Turn("TEXT_UNREACHABLE", "UNREACHABLE", "Phone is unreachable"),
        Turn("TEXT_CARRIER_UNREACHABLE", "CARRIER_UNREACHABLE", "Phone carrier is unreachable"),
        Turn("TEXT_BLOCKED", "BLOCKED", "Phone has blocked text messages"),
        Turn("TEXT_CARRIER_BLOCKED", "CARRIER_BLOCKED", "Phone carrier has blocked this message"),
        Turn("TEXT_SPAM", "SPAM", "Phone carrier took this message for spam"),
        Turn("TEXT_UNKNOWN", "UNKNOWN", "The carrier did not say what became of the message"),
        Turn("TEXT_TTL_EXPIRED", "TTL_EXPIRED", "Message could not be handed over in time"),
        Turn("TEXT_PROTECT_BLOCKED", "PROTECT_BLOCKED", "Message was blocked by a protect configuration"),
        Turn("RCS_QUEUED", "QUEUED", "Message is queued for delivery", final=False),
        Turn("RCS_SENT", "SENT", "Message has been sent", final=False),
        Turn("RCS_DELIVERED", "DELIVERED", "Message has been delivered"),
        Turn("RCS_READ", "READ", "Message has been read"),
        Turn("RCS_FAILED", "FAILED", "Message could not be delivered"),
        Turn("RCS_TTL_EXPIRED", "TTL_EXPIRED", "Message could not be handed over in time"),
        Turn("RCS_PROTECT_BLOCKED", "PROTECT_BLOCKED", "Message was blocked by a protect configuration"),
        Turn("RCS_FALLEN_BACK_TO_SMS", "FALLEN_BACK_TO_SMS", "Message goes on as a text message", final=False),
    )
}

# Numbers of these two ranges, by their last three digits. The first is set aside for fiction (NANPA, 555-01xx); Poland
# sets none aside, and in the second, within +48 45 5, no operator has any number (libphonenumber 9.0).
RANGES = ("+12065550", "+48455500")
STORIES: dict[str, tuple[str, ...]] = {
    "110": ("TEXT_PENDING", "TEXT_INVALID"),
    "111": ("TEXT_PENDING", "TEXT_INVALID_MESSAGE"),
    "112": ("TEXT_PENDING", "TEXT_UNREACHABLE"),
    "113": ("TEXT_PENDING", "TEXT_CARRIER_UNREACHABLE"),
    "114": ("TEXT_PENDING", "TEXT_BLOCKED"),
    "115": ("TEXT_PENDING", "TEXT_CARRIER_BLOCKED"),
    "116": ("TEXT_PENDING", "TEXT_SPAM"),
    "117": ("TEXT_PENDING", "TEXT_UNKNOWN"),
    "118": ("TEXT_PENDING", "TEXT_TTL_EXPIRED"),
    "119": ("TEXT_PENDING", "TEXT_PROTECT_BLOCKED"),
    "120": ("TEXT_PENDING", "TEXT_SUCCESSFUL"),
    "121": ("TEXT_PENDING", "TEXT_QUEUED", "TEXT_SUCCESSFUL", "TEXT_DELIVERED"),
    "122": ("RCS_QUEUED", "RCS_SENT", "RCS_DELIVERED", "RCS_READ"),
    "123": ("RCS_QUEUED", "RCS_FALLEN_BACK_TO_SMS", "TEXT_PENDING", "TEXT_DELIVERED"),
    "124": ("RCS_QUEUED", "RCS_FAILED"),
    "125": ("TEXT_PENDING",),
}

# Destinations of AWS's own SMS simulator that fail ("Simulator phone numbers in AWS End User Messaging SMS").
FAILING_NUMBERS = frozenset(
    {"+61455944039", "+43676800442032", "+32460213923", "+420790542287", "+4525919215", "+33755512502"}
)


def story_of(number: str) -> list[Turn]:
    """The steps that a message to this number goes through by itself."""
    if number in FAILING_NUMBERS:
        return [TURNS["TEXT_PENDING"], TURNS["TEXT_UNREACHABLE"]]
    place, end = number[:-3], number[-3:]
    told = STORIES.get(end) if place in RANGES else None
    return [TURNS[kind] for kind in told or ("TEXT_PENDING", "TEXT_DELIVERED")]
