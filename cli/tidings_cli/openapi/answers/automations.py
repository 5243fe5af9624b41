"""Templates, automations and suppressions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.json_schema import SkipJsonSchema

from tidings.automations.lifecycle.jobs import JobState
from tidings.automations.lifecycle.standing import AutomationState
from tidings.consent.model import Channel, Kind, Reason
from tidings.messages.model import TemplateInput
from tidings_cli.openapi.answers.base import Anything, AutomationProblem, Cursor, Instant, Shape, schema_named

Version = Annotated[int, Field(ge=1)]
DefinitionShown = Annotated[dict[str, Any], WithJsonSchema(schema_named("Automation"))]


class TemplateShown(Shape):
    """One version of a template."""

    template: str
    channel: Literal["email", "sms"]
    subject: str
    text: str
    html: str
    preheader: str
    from_address: str = Field(alias="from")
    reply_to: str
    kind: Kind | None
    topic: str
    tags: dict[str, str]
    variables: Anything
    gsm7: bool
    """Whether typographic characters of a text message are replaced."""
    version: Version
    created_at: Instant


class Finding(Shape):
    """What is wrong with a template (`error`), or may be (`warning`); `field` is where, empty for all of it."""

    code: str
    severity: Literal["error", "warning"]
    field: str
    message: str


class TemplateApplied(TemplateShown):
    """The live version; `changed` is false where it was live already."""

    changed: bool
    warnings: list[Finding]


class Templates(Shape):
    """Live versions of templates, by name."""

    templates: list[TemplateShown]
    cursor: Cursor


class TemplateVersions(Shape):
    """Versions of a template, latest first."""

    versions: list[TemplateShown]
    cursor: Cursor


class Findings(Shape):
    """What is wrong with a template, and what may be; nothing for one that is in order."""

    findings: list[Finding]


class TriedWith(BaseModel):
    """Somebody to try a template with."""

    model_config = ConfigDict(extra="forbid")

    contact: dict[str, Any] = Field(default_factory=dict)
    event: dict[str, Any] = Field(default_factory=dict)
    variables: dict[str, Any] = Field(default_factory=dict)


class TemplateToLint(TemplateInput):
    """A template as it would be applied, and somebody to try it with."""

    template: str = "unnamed"
    data: TriedWith | None = None


class TemplatePreview(Shape):
    """A mail as somebody would get it. `missing` came out as nothing; `bytes` is the size of text and HTML."""

    template: str
    version: Version
    contact: str | None
    subject: str
    preheader: str
    text: str
    html: str
    encoding: Literal["GSM", "Unicode"] | SkipJsonSchema[None] = None
    """Of a text message, as are its `units` and `parts`."""
    units: Annotated[int, Field(ge=0)] | SkipJsonSchema[None] = None
    parts: Annotated[int, Field(ge=1)] | SkipJsonSchema[None] = None
    missing: list[str]
    bytes: Annotated[int, Field(ge=0)]


class AutomationShown(Shape):
    """An automation: where it stands, and which version enrols people. `description` is that of the draft."""

    automation: str
    description: str
    state: AutomationState | None
    """None where nothing was published."""
    live_version: Version | None
    published_at: Instant | None
    unpublished_changes: bool
    """Whether what was applied last differs from the live version."""


class JobShown(Shape):
    """A job over everybody inside: `found` were inside when it began, `done` were resumed or ended by now."""

    job: str
    kind: Literal["resume", "end"]
    state: JobState
    who: str
    at: Instant
    found: Annotated[int, Field(ge=0)]
    done: Annotated[int, Field(ge=0)]


class AutomationChange(Shape):
    """What somebody did to an automation."""

    what: str
    who: str
    at: Instant
    details: Anything


class AutomationLookedAt(AutomationShown):
    """An automation with what was applied last, and its latest jobs and changes."""

    draft: DefinitionShown
    jobs: list[JobShown]
    log: list[AutomationChange]


class AutomationThen(Shape):
    """An automation as it stood at an earlier time. What its draft was then is not kept."""

    automation: str
    at: Instant
    description: str
    state: AutomationState | None
    """None where nothing was published yet, as of the version."""
    live_version: Version | None
    published_at: Instant | None
    definition: DefinitionShown | None
    log: list[AutomationChange]
    """The latest changes until then, the latest first."""


class Automations(Shape):
    """Automations that were ever applied, by name."""

    automations: list[AutomationShown]
    cursor: Cursor


class AutomationApplied(Shape):
    """The draft was kept; `problems` are warnings."""

    automation: str
    problems: list[AutomationProblem]


class AutomationVersion(Shape):
    """One published version, with the state machine that runs it."""

    automation: str
    version: Version
    machine: str
    created_at: Instant
    definition: DefinitionShown


class AutomationPublished(AutomationVersion):
    """The live version; `changed` is false where it was live already. `job` ends those inside earlier versions."""

    changed: bool
    job: str | None


class VersionInside(Shape):
    """How many are inside a version, each exactly once."""

    version: Version
    live: Annotated[int, Field(ge=0)]
    """Who is on their way."""
    parked: Annotated[int, Field(ge=0)]
    """Who rests until a pause is over."""
    failed: Annotated[int, Field(ge=0)]
    """Whose execution failed, who can be resumed."""


class DefinitionChanges(Shape):
    """Which keys beside the components change, and which components."""

    keys: list[str]
    added: list[str]
    removed: list[str]
    changed: list[str]


class AutomationPreview(Shape):
    """What publishing would do, and how many are inside, by version, the latest first."""

    automation: str
    version: Version
    changed: bool
    changes: DefinitionChanges
    inside: list[VersionInside]


class AutomationOrder(Shape):
    """What of each action: `what` of a pause, `end` of an archiving, `version` of an ending."""

    what: Literal["entries", "all"] | SkipJsonSchema[None] = None
    end: bool | SkipJsonSchema[None] = None
    version: Version | SkipJsonSchema[None] = None


class AutomationMoved(Shape):
    """Where an automation stands, whether that is new, and the job that follows."""

    automation: str
    state: AutomationState
    changed: bool
    job: str | None


class AutomationVersions(Shape):
    """Published versions, latest first."""

    versions: list[AutomationVersion]
    cursor: Cursor


class Resumed(AutomationMoved):
    """How many of this page were given a new run, and where the next one begins, empty at the end."""

    resumed: Annotated[int, Field(ge=0)]
    cursor: Cursor


class Started(Shape):
    """Whom an automation was asked to take in, and the message id of the event that asked it."""

    automation: str
    contact: str
    event: str


class SuppressionShown(Shape):
    """An address that gets no message on a channel, until `expires_at` if that is set."""

    channel: Channel
    address: str
    reason: Reason
    source: str
    created_at: Instant
    expires_at: Instant | None


class Suppressions(Shape):
    """A page of the suppression list."""

    suppressions: list[SuppressionShown]
    cursor: Cursor


class SuppressionOrder(Shape):
    """How long an address is to be suppressed; for ever, if nothing is said."""

    expires_at: Instant | None = None


class Released(Shape):
    """The address is off the list."""

    released: Literal[True]


class CheckOrder(Shape):
    """Which address to ask about, or which contact by its id or user id; `topic` is `marketing` unless it is named."""

    address: str | SkipJsonSchema[None] = None
    contact: str | SkipJsonSchema[None] = None
    user_id: str | SkipJsonSchema[None] = None
    channel: Channel = Channel.EMAIL
    kind: Kind | SkipJsonSchema[None] = None
    topic: str | SkipJsonSchema[None] = None


class CheckMade(Shape):
    """One question, and what was found."""

    check: str
    passed: bool
    found: str


class CheckAnswer(Shape):
    """Whether a message may go to the address, and what was found."""

    suppressed: bool
    check: str
    passed: bool
    found: str
    checks: list[CheckMade]
    """All that were asked, in their order, up to the one that said no."""


class WebhookSecrets(Shape):
    """What a server checks signatures of webhooks with, as Standard Webhooks has it."""

    secrets: list[str]
    """The newest first; for a day after a change there are two, and calls carry a signature by each."""
