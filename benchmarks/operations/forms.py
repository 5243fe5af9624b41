"""Forms, by whom they name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.support.world import World

from benchmarks.operations.costs import Preparation, Step, operation
from benchmarks.operations.preparing import must

MAIL, PHONE = "ada@people.example", "+48600100200"


def formed(*before: dict[str, Any], **last: Any) -> Preparation:
    """A form after others, each given its traits."""

    def prepare(world: World) -> Step:
        for number, traits in enumerate(({"country": "PL"}, *before)):
            submit(world, messageId=f"earlier-{number}", traits=traits)
        world.now += timedelta(seconds=1)
        return lambda: submit(world, messageId="last", **last)

    return prepare


def submit(world: World, **form: Any) -> None:
    """Submit a form with a write key."""
    must(world.call("forms", "POST /v1/forms", {"form": "newsletter", **form}, "write"))


BOTH = {"email": MAIL, "phone": PHONE, "name": "Ada"}
form_new = operation("forms", "somebody new, e-mail")(formed(traits={"email": MAIL, "name": "Ada"}))
form_new_both = operation("forms", "somebody new, e-mail and phone")(formed(traits=BOTH))
form_visitor = operation("forms", "somebody new, whose browser is known by an id")(
    formed(traits={"email": MAIL, "name": "Ada"}, anonymousId="a-9")
)
form_known = operation("forms", "somebody known by e-mail")(
    formed({"email": MAIL, "name": "Ada"}, traits={"email": MAIL, "city": "Gdynia"})
)
form_known_both = operation("forms", "somebody known by e-mail and phone")(
    formed(BOTH, traits={**BOTH, "city": "Gdynia"})
)
form_conflict = operation("forms", "two contacts match")(
    formed({"email": MAIL, "name": "Ada"}, {"phone": PHONE, "name": "Bob"}, traits=BOTH)
)
form_nobody = operation("forms", "nobody is named")(formed(traits={"birthday": "1990-01-01"}))


@operation("forms", "the same form again")
def form_repeated(world: World) -> Step:
    """It finds its contact, and its write is refused."""
    step = formed(traits={"email": MAIL, "name": "Ada"})(world)
    step()
    return step
