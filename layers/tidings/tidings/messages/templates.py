"""Keeping templates: each change is a version, and the latest is live."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from pydantic import ValidationError

from tidings.core.clock import Clock
from tidings.core.errors import Conflict, InvalidInput, NotFound
from tidings.core.store import ConditionFailed
from tidings.messages.model import TEMPLATE_BYTES, Template, TemplateInput


class TemplateStore(Protocol):
    """Where templates are kept."""

    def live(self, workspace: str, name: str) -> Template | None: ...
    def all_live(self, workspace: str) -> list[Template]: ...
    def versions(self, workspace: str, name: str) -> list[Template]: ...
    def publish(self, template: Template) -> None: ...


class TemplateService:
    """Templates of a workspace; each change is a new version."""

    def __init__(self, store: TemplateStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def apply(self, workspace: str, body: Mapping[str, Any]) -> tuple[Template, bool]:
        """Check a template and make it the live version; the same content again changes nothing.

        Returns the live template and whether it is new. Raises InvalidInput, or Conflict if two apply at once.
        """
        from tidings.messages.render import compile_template  # late: whoever only reads needs no Liquid

        content = read_template(body)
        compile_template(content)
        live = self._store.live(workspace, content.template)
        if live is not None and live.content == content:
            return live, False
        version = 1 if live is None else live.version + 1
        template = Template(workspace, content.template, version, content, self._clock.now())
        try:
            self._store.publish(template)
        except ConditionFailed as error:
            raise Conflict("template_changed", "Somebody changed this template at the same time.") from error
        return template, True

    def get(self, workspace: str, name: str) -> Template:
        """The live version. Raises NotFound."""
        live = self._store.live(workspace, name)
        if live is None:
            raise NotFound("unknown_template", f"There is no template named {name}.", "template")
        return live

    def all(self, workspace: str) -> list[Template]:
        """The live version of each template."""
        return self._store.all_live(workspace)

    def versions(self, workspace: str, name: str) -> list[Template]:
        """All versions, latest first. Raises NotFound."""
        found = self._store.versions(workspace, name)
        if not found:
            raise NotFound("unknown_template", f"There is no template named {name}.", "template")
        return found


def read_template(body: Mapping[str, Any]) -> TemplateInput:
    """A template from a JSON object. Raises InvalidInput naming the field."""
    try:
        content = TemplateInput.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InvalidInput("invalid_template", f"{field}: {first['msg']}.", field) from error
    if not content.text and not content.html:
        raise InvalidInput("invalid_template", "A template needs text or html.", "html")
    if len(content.model_dump_json(by_alias=True).encode()) > TEMPLATE_BYTES:
        raise InvalidInput("template_too_large", f"A template is at most {TEMPLATE_BYTES} bytes of JSON.")
    return content
