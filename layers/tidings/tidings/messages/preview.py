"""A mail as somebody would get it, without sending or keeping anything."""

from __future__ import annotations

from collections.abc import Mapping
from html import unescape
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tidings.accounts.cache import WorkspaceCache
from tidings.consent.model import Channel, Kind
from tidings.contacts.model import Contact, Identity, IdentityKind
from tidings.contacts.service import ContactDirectory
from tidings.core.clock import Clock
from tidings.core.errors import InvalidInput, NotFound
from tidings.messages.lint import HARMLESS, HARMLESS_LINK
from tidings.messages.model import Template
from tidings.messages.parts import kept_gsm, measure
from tidings.messages.render import HTML, compile_template, filling_of, parse
from tidings.messages.template_store import DynamoTemplateStore
from tidings.messages.unsubscribe import with_link

Id = Annotated[str, Field(min_length=1, max_length=320)]


class PreviewRequest(BaseModel):
    """Whom a template is shown for: nobody, or a contact named in one of three ways; and with what."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    contact: Id | None = None
    user_id: Id | None = None
    email: Id | None = None
    variables: dict[str, Any] = Field(default_factory=dict)
    event: dict[str, Any] = Field(default_factory=dict)
    version: Annotated[int, Field(ge=1, le=999_999)] | None = None

    @model_validator(mode="after")
    def _at_most_one(self) -> PreviewRequest:
        if len([one for one in (self.contact, self.user_id, self.email) if one]) > 1:
            raise ValueError("name at most one of contact, user_id, email")
        return self


class Previews:
    """Shows templates of a workspace filled for its contacts."""

    def __init__(
        self, store: DynamoTemplateStore, directory: ContactDirectory, workspaces: WorkspaceCache, clock: Clock
    ) -> None:
        self._store = store
        self._directory = directory
        self._workspaces = workspaces
        self._clock = clock

    def show(self, workspace: str, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A mail's subject, preheader, text and HTML for one person, the names of what came out as nothing (`missing`)
        and the size of text and HTML together in bytes.

        The link for unsubscribing is none, and no message's id stands in the others. Raises InvalidInput, also where
        the template fails for this person, and NotFound.
        """
        request = _read(body)
        template = self._template(workspace, name, request.version)
        contact = self._contact(workspace, request)
        filling = filling_of(template.content, _data(contact, request), self._clock.now())
        mail = compile_template(template.content, template.made).render(filling)
        preheader = filling.fill(parse(HTML, template.content.preheader, "preheader"))
        html, text = mail.html, mail.text
        is_text = template.content.channel is Channel.SMS
        if template.content.kind is not Kind.TRANSACTIONAL and not is_text:
            html, text = with_link(html, text, HARMLESS_LINK, self._workspaces.get(workspace))
        return {
            "template": name,
            "version": template.version,
            "contact": contact.id if contact else None,
            "subject": mail.subject,
            "preheader": " ".join(unescape(preheader).split()),
            "text": text,
            "html": html,
            **(_length(text, template.content.gsm7) if is_text else {}),
            "missing": list(filling.empty),
            "bytes": len(text.encode()) + len(html.encode()),
        }

    def _template(self, workspace: str, name: str, version: int | None) -> Template:
        found = self._store.version(workspace, name, version) if version else self._store.live(workspace, name)
        if found is None:
            what = f"version {version} of a template" if version else "template"
            raise NotFound("unknown_template", f"There is no {what} named {name}.", "template")
        return found

    def _contact(self, workspace: str, request: PreviewRequest) -> Contact | None:
        if request.contact:
            return self._directory.get(workspace, request.contact)
        if request.user_id:
            return self._directory.find(workspace, Identity(IdentityKind.USER, request.user_id))
        if not request.email:
            return None
        found = self._directory.find_by_address(workspace, IdentityKind.EMAIL, request.email)
        if found is None:
            raise NotFound("unknown_contact", "No contact has this e-mail address.", "email")
        return found


def _length(text: str, gsm7: bool) -> dict[str, Any]:
    """A text as a phone shows it, before links are made short and marketing gets its way out (POST /v1/sms/preview)."""
    shown = kept_gsm(text.strip()) if gsm7 else text.strip()
    return {"text": shown, **measure(shown).as_dict()}


def _data(contact: Contact | None, request: PreviewRequest) -> dict[str, Any]:
    return {
        "contact": {**contact.values, "id": contact.id} if contact else {},
        "event": request.event,
        "variables": request.variables,
        **HARMLESS,
    }


def _read(body: Mapping[str, Any]) -> PreviewRequest:
    try:
        return PreviewRequest.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InvalidInput("invalid_request", f"{field}: {first['msg']}.", field or None) from error
