"""How a workspace looks on its pages and in the footers of its mails: set once, used by every send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.core.errors import Conflict, InvalidInput, NotFound
from tidings.core.store import ConditionFailed


def _https(text: str) -> str:
    parts = urlsplit(text)
    # It stands in a header of every page: what ends a directive there is not let in.
    if text and (parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or set(text) & set(" ;,'\"<>")):
        raise ValueError("is an address that begins with https://")
    return text


class BrandInput(BaseModel):
    """A workspace's brand. What is left out is empty; the name is then the workspace's."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, str_strip_whitespace=True)

    name: Annotated[str, Field(max_length=100)] = ""
    postal_address: Annotated[str, Field(max_length=300)] = ""
    colour: Annotated[str, Field(pattern=r"^(#[0-9a-fA-F]{6})?$")] = ""
    logo_url: Annotated[str, Field(max_length=500, pattern=r"^[\x21-\x7e]*$"), AfterValidator(_https)] = ""
    footer: Annotated[str, Field(max_length=500)] = ""


class BrandService:
    """Shows and sets the brand of a workspace."""

    def __init__(self, workspaces: DynamoWorkspaceStore) -> None:
        self._workspaces = workspaces

    def get(self, workspace: str) -> BrandInput:
        """The brand as it was set; empty where nobody did. Raises NotFound."""
        found = self._workspaces.get(workspace, consistent=True)
        if found is None:
            raise NotFound("unknown_workspace", "There is no such workspace.", "workspace")
        return BrandInput.model_validate(found.policy.get("brand") or {})

    def set(self, workspace: str, body: Mapping[str, Any]) -> BrandInput:
        """Replace the brand; pages and mails show it within a minute. Raises InvalidInput, NotFound, Conflict."""
        brand = read_brand(body)
        before = self._workspaces.get(workspace, consistent=True)
        if before is None:
            raise NotFound("unknown_workspace", "There is no such workspace.", "workspace")
        kept = {name: value for name, value in brand.model_dump().items() if value}
        if kept == before.policy.get("brand", {}):
            return brand
        try:
            self._workspaces.change_policy(before, {**before.policy, "brand": kept})
        except ConditionFailed as error:
            raise Conflict("policy_changed", "Somebody changed this workspace's policy at the same time.") from error
        return brand


def read_brand(body: Mapping[str, Any]) -> BrandInput:
    """A brand from a JSON object. Raises InvalidInput naming the field."""
    try:
        return BrandInput.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InvalidInput("invalid_brand", f"{field}: {first['msg']}.", field) from error
