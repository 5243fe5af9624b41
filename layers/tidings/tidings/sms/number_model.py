"""A phone number as AWS has it, and as the API is asked about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field

from tidings.consent.model import Kind

ACTIVE = "ACTIVE"
# AWS's type of messages, by the kind that a number of it takes.
KINDS = {"TRANSACTIONAL": Kind.TRANSACTIONAL, "PROMOTIONAL": Kind.MARKETING}


class NumberInput(BaseModel):
    """What a number is to be. `two_way` lets answers come here, `self_managed` lets Tidings answer STOP, not AWS.

    Both are set at AWS where they are given; what is left out stays. `kinds` are the kinds of messages that leave from
    it (where left out, the one that AWS has it for), `language` that of the people who write to it.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    two_way: Annotated[bool | None, Field(json_schema_extra={"enum": [True, None]})] = None
    self_managed: bool | None = None
    kinds: Annotated[tuple[Annotated[Kind, Field(strict=False)], ...], Field(strict=False, max_length=2)] = ()
    language: Annotated[str, Field(pattern=r"^([a-z]{2,3})?$")] = ""


@dataclass(frozen=True, slots=True)
class Held:
    """What AWS says of a number of the account. `topic` is where its answers go, `opt_outs` its opt-out list."""

    id: str
    status: str
    country: str
    type: str
    message_type: str
    two_way: bool
    topic: str
    self_managed: bool
    opt_outs: str
    pool: str
    sends: bool = True


class Numbers(Protocol):
    """AWS's numbers. All raise Throttled, Unavailable, and InvalidInput for what AWS refuses."""

    def show(self, number: str) -> Held | None:
        """What AWS says of a number; None if the account has none such."""

    def set_up(self, held: Held, topic: str, self_managed: bool | None) -> None:
        """Let answers come to a topic, and say who answers STOP."""
