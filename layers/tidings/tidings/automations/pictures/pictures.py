"""Pictures of automations by API, as SVG or as Mermaid text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from tidings.automations.automation_store import Automation, DynamoAutomationStore, unknown_version
from tidings.automations.pictures.drawing import mermaid, svg
from tidings.core.errors import InvalidInput, NotFound
from tidings.messages.decisions import read_at

# Nothing that a picture holds may run or be fetched, wherever it is opened.
_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "x-content-type-options": "nosniff",
}


class Picture(NamedTuple):
    """A picture and how it is answered."""

    headers: Mapping[str, str]
    text: str


class Pictures:
    """Draws automations of a workspace."""

    def __init__(self, automations: DynamoAutomationStore) -> None:
        self._automations = automations

    def draw(self, workspace: str, name: str, query: Mapping[str, str]) -> Picture:
        """The picture that `format` (`svg`, `mermaid`) and `version` (a number, `draft`) or `at` ask for.

        Without `version` it is of the live version, or of the draft where nothing was published; with `at` of the
        version that was live then. Raises NotFound, and InvalidInput for a format, version or time that cannot be.
        """
        form = query.get("format", "svg")
        if form not in ("svg", "mermaid"):
            raise InvalidInput("invalid_format", "format is svg or mermaid.", "format")
        version, at = query.get("version", ""), read_at(query)
        if version and at is not None:
            raise InvalidInput("invalid_version", "Ask for a version or for a time, not for both.", "version")
        found = self._version(workspace, name, version) if at is None else self._at(workspace, name, at)
        definition = found.definition
        if form == "svg":
            return Picture({"content-type": "image/svg+xml; charset=utf-8", **_HEADERS}, svg(definition))
        return Picture({"content-type": "text/vnd.mermaid; charset=utf-8", **_HEADERS}, mermaid(definition))

    def _at(self, workspace: str, name: str, at: datetime) -> Automation:
        found = self._automations.live_at(workspace, name, at)
        if found is None:
            self._version(workspace, name, "draft")
            raise NotFound("not_yet", "No version of the automation was published at that time.", "at")
        return found

    def _version(self, workspace: str, name: str, version: str) -> Automation:
        if version not in ("", "draft"):
            if not (version.isascii() and version.isdigit() and 0 < int(version[:7]) < 1_000_000):
                raise InvalidInput("invalid_version", "version is draft, or a number from 1 on.", "version")
            found = self._automations.version(workspace, name, int(version[:7]))
            if found is None:
                raise unknown_version()
            return found
        live = None if version else self._automations.live(workspace, name)
        return live or self._automations.require(workspace, name)
