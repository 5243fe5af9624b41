"""Keeping templates: each change is a version, and the latest is live."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from tidings.core import cursors
from tidings.core.clock import Clock
from tidings.core.errors import Conflict, InvalidInput, NotFound
from tidings.core.store import ConditionFailed
from tidings.messages.model import TEMPLATE_BYTES, Template, TemplateInput
from tidings.messages.template_store import LATEST, DynamoTemplateStore, packed

if TYPE_CHECKING:
    from tidings.messages.lint import Examined, Finding

DATA = ("contact", "event", "variables")


class TemplateService:
    """Templates of a workspace; each change is a new version."""

    def __init__(self, store: DynamoTemplateStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def apply(self, workspace: str, body: Mapping[str, Any]) -> tuple[Template, bool, list[Finding]]:
        """Check a template and make it the live version; the same content again changes nothing.

        Returns the live template, whether it is new, and what its writer should know. Raises InvalidInput with the
        first mistake, or Conflict if two apply at once.
        """
        content = read_template(body)
        examined = self._examined(body)
        for error in examined.errors:
            raise InvalidInput(error.code, error.message, error.field or None)
        live = self._store.live(workspace, content.template)
        if live is not None and live.content == content:
            return live, False, examined.warnings
        version = 1 if live is None else live.version + 1
        template = Template(workspace, content.template, version, content, self._clock.now(), examined.made)
        _require_room(template)
        try:
            self._store.publish(template)
        except ConditionFailed as error:
            raise Conflict("template_changed", "Somebody changed this template at the same time.") from error
        return template, True, examined.warnings

    def lint(self, body: Mapping[str, Any]) -> list[Finding]:
        """Everything that is wrong with a template, and what may be. `data` in the body is somebody to try it with.

        Raises InvalidInput for `data` of another form.
        """
        template = {name: value for name, value in body.items() if name != "data"}
        return list(self._examined({"template": "unnamed", **template}, read_data(body.get("data"))).findings)

    def _examined(self, body: Mapping[str, Any], data: Mapping[str, Any] | None = None) -> Examined:
        from tidings.messages.lint import examine  # late: whoever only reads needs neither Liquid nor HTML

        return examine(body, self._clock.now(), data)

    def get(self, workspace: str, name: str) -> Template:
        """The live version. Raises NotFound."""
        live = self._store.live(workspace, name)
        if live is None:
            raise _unknown(name)
        return live

    def version(self, workspace: str, name: str, version: str) -> Template:
        """One version, by its number. Raises NotFound."""
        number = int(version) if version.isdecimal() and version.isascii() and len(version) <= len(str(LATEST)) else 0
        found = self._store.version(workspace, name, number)
        if found is None:
            raise NotFound("unknown_template", "There is no such version of a template of this name.", "version")
        return found

    def page(self, workspace: str, limit: int, cursor: str) -> tuple[list[Template], str]:
        """Live versions by name, and the cursor of the next page, empty at the end. Raises InvalidInput."""
        scope = [workspace, "templates"]
        place = cursors.read(scope, cursor, str)
        page, more = self._store.live_after(workspace, place[0] if place else "", limit)
        return page, cursors.write(scope, [page[-1].name]) if more else ""

    def versions(self, workspace: str, name: str, limit: int, cursor: str) -> tuple[list[Template], str]:
        """Versions, latest first, and the cursor of the next page, empty at the end. Raises NotFound, InvalidInput."""
        scope = [workspace, "template versions", name]
        place = cursors.read(scope, cursor, int)
        page, more = self._store.versions_before(workspace, name, place[0] if place else LATEST + 1, limit)
        if not page:
            raise _unknown(name)
        return page, cursors.write(scope, [page[-1].version]) if more else ""


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


def read_data(given: Any) -> dict[str, Any] | None:
    """Somebody to try a template with: `contact`, `event` and `variables`, each an object. Raises InvalidInput."""
    if given is None:
        return None
    if not isinstance(given, dict) or any(name not in DATA or not isinstance(given[name], dict) for name in given):
        raise InvalidInput("invalid_type", f"data is an object that may hold the objects {', '.join(DATA)}.", "data")
    return given


def _require_room(template: Template) -> None:
    size = len(template.content.model_dump_json(by_alias=True).encode()) + len(packed(template.made))
    if size > TEMPLATE_BYTES:
        message = f"A template, with what is made of it for sending, is at most {TEMPLATE_BYTES} bytes."
        raise InvalidInput("template_too_large", message)


def _unknown(name: str) -> NotFound:
    return NotFound("unknown_template", f"There is no template named {name}.", "template")
