"""What requests for messages have in common, whatever the channel: whom they name, and how bodies are read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from tidings.contacts.rules import ID_BYTES
from tidings.core.errors import InvalidInput
from tidings.core.ids import digest

VARIABLES_BYTES = 100_000  # they are kept with each message, whose item has 400 KB
STRICT = ConfigDict(strict=True, extra="forbid", frozen=True)


def _short(text: str) -> str:
    if len(text.encode()) > ID_BYTES:
        raise ValueError(f"is at most {ID_BYTES} bytes")
    return text


Id = Annotated[str, AfterValidator(_short)]


class Named(Protocol):
    """One way to name a contact; `address` is an e-mail address or phone number, empty for another way."""

    @property
    def contact(self) -> str | None: ...

    @property
    def user_id(self) -> str | None: ...

    @property
    def anonymous_id(self) -> str | None: ...

    @property
    def address(self) -> str: ...


def only_one(model: BaseModel, names: tuple[str, ...]) -> None:
    """Refuse a model that gives none of these fields, or several. Raises ValueError."""
    if len([name for name in names if getattr(model, name)]) != 1:
        raise ValueError(f"name one of {', '.join(names)}")


def read_as(model: type[Any], body: Mapping[str, Any]) -> Any:
    """A body as a model. Raises InvalidInput: `invalid_request`, with the field that is to blame."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InvalidInput("invalid_request", f"{field}: {first['msg']}.", field) from error


def require_small(variables: Mapping[str, Any], place: str) -> None:
    """Refuse variables that no message could keep. Raises InvalidInput: `variables_too_large`."""
    if len(json.dumps(variables, ensure_ascii=False, separators=(",", ":")).encode()) > VARIABLES_BYTES:
        raise InvalidInput("variables_too_large", f"Variables have at most {VARIABLES_BYTES} bytes as JSON.", place)


def fingerprint_of(request: BaseModel, *more: str) -> str:
    """A hash of everything that was asked: by it a repeat is told from another request."""
    return digest("request", *more, json.dumps(request.model_dump(mode="json", exclude_defaults=True), sort_keys=True))
