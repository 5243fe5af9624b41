"""Who takes part in the demo, and what must have become of each in the end."""

from __future__ import annotations

from dataclasses import dataclass

AUTOMATION, BOOKING = "welcome", "booking-confirmation"
TEMPLATES = ("welcome-tips", "welcome-nudge", "booking-question", "booking-confirmed", "booking-reminder")
SIGNED_UP, BEGUN, LOOKED, BOOKED = "Signed Up", "Project Created", "Pricing Viewed", "Booking Requested"
# What the phone answers, and what that means in the workspace.
ANSWER, MEANING = "TAK", "confirm"


@dataclass(frozen=True)
class Person:
    """One person. `subject` is that of the one mail that must be sent, empty for none; `fate` its message's last state.

    `texts` are those that a phone must get. They and the subjects are written out here and not rendered from the
    templates: the demo would else check its own mistake.
    """

    id: str
    name: str
    address: str
    role: str
    subject: str = ""
    fate: str = ""
    begins: bool = False
    suppressed: bool = False
    repeats: bool = False
    phone: str = ""
    texts: tuple[str, ...] = ()

    @property
    def is_visitor(self) -> bool:
        """Whether they only look around, and nobody knows who they are."""
        return not self.address and not self.phone


ADA = Person(
    "ada",
    "Ada",
    "ada@example.com",
    "begins at once",
    "Your first project is up. Three things worth knowing",
    "delivered",
    begins=True,
)
BEN = Person(
    "ben",
    "Ben",
    "ben@example.com",
    "does nothing more",
    "Ben, shall we set up your first project together?",
    "delivered",
    repeats=True,
)
CLEO = Person("cleo", "Cleo", "cleo@example.com", "wants no mail", fate="skipped", suppressed=True)
DEV = Person(
    "dev",
    "Dev",
    "bounce+dev@simulator.amazonses.com",
    "his mailbox bounces",
    "Dev, shall we set up your first project together?",
    "bounced",
)
EVE = Person("visitor-eve", "Eve", "", "only looks around")
FAY = Person(
    "fay",
    "Fay",
    "",
    "books by phone",
    phone="+48600100200",
    texts=(
        "Fay, czy potwierdzasz wizytę w piątek o 17:00? Odpisz TAK. Birchlane",
        "Dziękujemy, wizyta w piątek o 17:00 jest potwierdzona. Do zobaczenia! Birchlane",
    ),
)

PEOPLE = (ADA, BEN, CLEO, DEV, EVE, FAY)
ENROLLED = tuple(person for person in PEOPLE if person.address)
