"""What is asked of a published automation through the API: publish, pause, resume, archive, unarchive, end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from tidings.automations.lifecycle.publishing import AutomationService
from tidings.automations.lifecycle.resuming import Resuming
from tidings.automations.lifecycle.service import Lifecycle
from tidings.core.errors import InvalidInput, NotFound
from tidings.messages.requests import STRICT, Id, read_as

MOST = 200

Json = dict[str, Any]


class Nothing(BaseModel):
    """Nothing has to be said."""

    model_config = STRICT


class PublishOrder(BaseModel):
    """What becomes of those inside earlier versions, and whether only to say what publishing would do."""

    model_config = STRICT

    inside: Literal["finish", "end"] = "finish"
    dry_run: bool = False


class PauseOrder(BaseModel):
    """What is paused: that people enter, or all that happens."""

    model_config = STRICT

    what: Literal["entries", "all"] = "entries"


class ArchiveOrder(BaseModel):
    """Whether those inside are ended; else they finish."""

    model_config = STRICT

    end: bool = False


class EndOrder(BaseModel):
    """In which version people are ended; in all of them, if none is named."""

    model_config = STRICT

    version: Annotated[int, Field(ge=1)] | None = None


class ResumeOrder(BaseModel):
    """Whom to resume: one by contact and entry, or page by page everybody who was lost.

    `lost` leaves a pause as it is, which is lifted otherwise. `starting` resumes those too whose start may be on its
    way, which is so for an hour and a half after they entered. `background` leaves the pages to a job.
    """

    model_config = STRICT

    contact: Id | None = None
    entry: Id | None = None
    lost: bool = False
    starting: bool = False
    background: bool = False
    limit: Annotated[int, Field(ge=1, le=MOST)] = 50
    cursor: str = ""


class AutomationDesk:
    """Takes orders about automations; `who` is named in the log."""

    def __init__(self, automations: AutomationService, lifecycle: Lifecycle, resuming: Resuming) -> None:
        self._automations = automations
        self._lifecycle = lifecycle
        self._resuming = resuming

    def act(self, workspace: str, name: str, action: str, who: str, body: Mapping[str, Any]) -> Json:
        """Do what the path asks. Raises NotFound for another action, InvalidInput, and what the services raise."""
        acts = {
            "publish": self._publish,
            "pause": self._pause,
            "resume": self._resume,
            "archive": self._archive,
            "unarchive": self._unarchive,
            "end": self._end,
        }
        if action not in acts:
            raise NotFound("unknown_action", f"One can {', '.join(acts)} an automation.", "action")
        return acts[action](workspace, name, who, body)

    def _publish(self, workspace: str, name: str, who: str, body: Mapping[str, Any]) -> Json:
        order = read_as(PublishOrder, body)
        if order.dry_run:
            return self._automations.preview(workspace, name)
        ends = order.inside == "end"
        published, new = self._automations.publish(workspace, name, who, ends)
        job = self._lifecycle.published(published, who, ends)
        return {**published.as_dict(), "changed": new, "job": None if job is None else job.id}

    def _pause(self, workspace: str, name: str, who: str, body: Mapping[str, Any]) -> Json:
        order = read_as(PauseOrder, body)
        return self._lifecycle.pause(workspace, name, who, order.what == "all").as_dict()

    def _archive(self, workspace: str, name: str, who: str, body: Mapping[str, Any]) -> Json:
        return self._lifecycle.archive(workspace, name, who, read_as(ArchiveOrder, body).end).as_dict()

    def _unarchive(self, workspace: str, name: str, who: str, body: Mapping[str, Any]) -> Json:
        read_as(Nothing, body)
        return self._lifecycle.unarchive(workspace, name, who).as_dict()

    def _end(self, workspace: str, name: str, who: str, body: Mapping[str, Any]) -> Json:
        return self._lifecycle.end(workspace, name, who, read_as(EndOrder, body).version or 0).as_dict()

    def _resume(self, workspace: str, name: str, who: str, body: Mapping[str, Any]) -> Json:
        order: ResumeOrder = read_as(ResumeOrder, body)
        if bool(order.contact) != bool(order.entry):
            raise InvalidInput("invalid_request", "One enrolment is named by contact and entry.", "entry")
        if order.background and order.starting:
            raise InvalidInput("invalid_request", "A job leaves those alone who may be about to start.", "starting")
        stays = order.lost or bool(order.cursor) or bool(order.entry)
        moved = self._lifecycle.standing(workspace, name) if stays else self._lifecycle.resume(workspace, name, who)
        if moved.changed:
            return {**moved.as_dict(), "resumed": 0, "cursor": ""}
        if order.background:
            return {**self._lifecycle.background(workspace, name, who).as_dict(), "resumed": 0, "cursor": ""}
        if order.contact and order.entry:
            named = self._resuming.named(workspace, name, order.contact, order.entry, order.starting)
            resumed, cursor = int(named), ""
        else:
            resumed, cursor = self._resuming.page(workspace, name, order.limit, order.cursor, order.starting)
            if order.lost and not order.cursor:
                self._lifecycle.look_back(moved.automation)
        self._lifecycle.resumed(workspace, name, who, resumed)
        return {**moved.as_dict(), "resumed": resumed, "cursor": cursor}
