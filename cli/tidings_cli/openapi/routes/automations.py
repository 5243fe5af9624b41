"""Templates, automations and suppressions."""

from __future__ import annotations

from tidings.automations.entering.starting import StartOrder
from tidings.automations.lifecycle.desk import PublishOrder, ResumeOrder
from tidings.messages.model import TemplateInput
from tidings.messages.preview import PreviewRequest
from tidings_cli.openapi.answers import automations as shapes
from tidings_cli.openapi.answers import statistics
from tidings_cli.openapi.answers.base import AutomationError
from tidings_cli.openapi.answers.contacts import LostEnrolments
from tidings_cli.openapi.codes import lint_codes
from tidings_cli.openapi.routes.route import AT, PAGE, WRITES, Body, Query, Route

_TEMPLATE = ("unknown_template",)
_AUTOMATION = ("unknown_automation",)
_CHANGES = (
    *WRITES, *_AUTOMATION, "invalid_request", "automation_not_published", "automation_changed", "index_contended",
    "queue_failed",
)  # fmt: skip
_MACHINES = ("machine_failed", "machine_throttled")
_VERSION = Query("version", "Only this version; all of them without it.", {"type": "string", "pattern": "^[0-9]+$"})
_ADDRESS = ("unknown_channel", "invalid_address")

_PUBLISHED = {
    "anyOf": [
        {"$ref": "#/components/schemas/AutomationPublished"},
        {"$ref": "#/components/schemas/AutomationPreview"},
    ]
}

_LOOKED_AT = {
    "anyOf": [
        {"$ref": "#/components/schemas/AutomationLookedAt"},
        {"$ref": "#/components/schemas/AutomationThen"},
    ]
}

TEMPLATES = (
    Route("GET", "/v1/templates", "listTemplates", "List templates", shapes.Templates, query=PAGE),
    Route(
        "GET", "/v1/templates/{name}", "getTemplate", "Show a template's live version", shapes.TemplateShown,
        refusals=_TEMPLATE,
    ),
    Route(
        "PUT", "/v1/templates/{name}", "applyTemplate", "Apply a template", shapes.TemplateApplied,
        about="A change makes a new version, which is live at once; the same again changes nothing.",
        body=Body(TemplateInput, "templates.api", without="template"),
        refusals=(
            *WRITES, "name_mismatch", "invalid_template", "template_too_large", "unknown_variable", "unknown_filter",
            "broken_link", "template_changed",
        ),
    ),
    Route(
        "GET", "/v1/templates/{name}/versions", "listTemplateVersions", "List a template's versions",
        shapes.TemplateVersions, query=PAGE, refusals=_TEMPLATE,
    ),
    Route(
        "GET", "/v1/templates/{name}/versions/{version}", "getTemplateVersion", "Show one version of a template",
        shapes.TemplateShown, refusals=_TEMPLATE,
    ),
    Route(
        "POST", "/v1/templates/lint", "lintTemplate", "List what is wrong with a template", shapes.Findings,
        about="Nothing is kept, and nobody is asked. An error is what keeps a template from being applied.",
        body=Body(shapes.TemplateToLint, "templates.api.lint"),
    ),
    Route(
        "POST", "/v1/templates/{name}/preview", "previewTemplate", "Show a template filled for somebody",
        shapes.TemplatePreview,
        about="Nothing is sent or kept. The link for unsubscribing leads nowhere.",
        body=Body(PreviewRequest, "templates.api.preview", required=False),
        refusals=(
            *_TEMPLATE, "invalid_request", "template_failed", "unknown_contact", "unknown_workspace", "invalid_email",
            "person_erased",
        ),
    ),
)  # fmt: skip

AUTOMATIONS = (
    Route(
        "GET", "/v1/automations", "listAutomations", "List automations", shapes.Automations, query=PAGE,
        about="Without what they are made of, which each shows by itself. Where that is large, a page may be short and"
        " still have a next one.",
    ),
    Route(
        "GET", "/v1/automations/{name}", "getAutomation", "Show an automation", _LOOKED_AT,
        also=(shapes.AutomationLookedAt, shapes.AutomationThen),
        about="With its latest jobs and changes, the latest first. With `at` it is the version that was live then, and"
        " where the automation stood.",
        query=(AT,), refusals=(*_AUTOMATION, "invalid_timestamp", "not_yet"),
    ),
    Route(
        "PUT", "/v1/automations/{name}", "applyAutomation", "Keep an automation as a draft", shapes.AutomationApplied,
        about="Whoever is in it, or enters it, is not concerned before it is published.",
        body=Body("Automation", "automations.api", without="automation"),
        refusals=(*WRITES, "name_mismatch"), error=AutomationError,
    ),
    Route(
        "POST", "/v1/automations/{name}/publish", "publishAutomation", "Publish what was applied",
        _PUBLISHED, also=(shapes.AutomationPublished, shapes.AutomationPreview),
        about="Who enters from now on takes the new version; who is inside an earlier one finishes on that, or is ended"
        " by a job if `inside` is `end`. With `dry_run` nothing is done: the answer tells what would change, and who is"
        " inside.",
        body=Body(PublishOrder, required=False),
        refusals=(
            *WRITES, *_AUTOMATION, "invalid_request", "automation_changed", "automation_archived", "index_contended",
            "queue_failed", "machine_limit", *_MACHINES,
        ),
        error=AutomationError,
    ),
    Route(
        "GET", "/v1/automations/{name}/versions", "listAutomationVersions", "List an automation's published versions",
        shapes.AutomationVersions, query=PAGE, refusals=_AUTOMATION,
        about="Where they are large, a page may be short and still have a next one.",
    ),
    Route(
        "GET", "/v1/automations/{name}/drawing", "drawAutomation", "Draw an automation", {"type": "string"},
        about="As an SVG document without any script, dark where the reader's system is; or as Mermaid text.",
        query=(
            Query("format", "In which form.", {"type": "string", "enum": ["svg", "mermaid"], "default": "svg"}),
            Query(
                "version", "A version's number, or `draft`; without it the live one, or the draft if there is none.",
                {"type": "string", "pattern": "^(draft|[1-9][0-9]{0,5})$"},
            ),
            AT,
        ),
        refusals=(
            *_AUTOMATION, "unknown_version", "invalid_format", "invalid_version", "invalid_timestamp", "not_yet",
        ),
        media=("image/svg+xml", "text/vnd.mermaid"),
    ),
    Route(
        "GET", "/v1/automations/{name}/enrolments", "listAutomationEnrolments", "List everybody who entered",
        statistics.AutomationEnrolments,
        about="Latest first; a page may be short and still have a next one.",
        query=(Query("state", "Only who is in this state, such as `live`."), _VERSION, AT, *PAGE),
        refusals=(*_AUTOMATION, "invalid_state", "invalid_version", "invalid_timestamp"),
    ),
    Route(
        "GET", "/v1/automations/{name}/enrolments/{contact}/{enrolment}", "getAutomationEnrolment",
        "Show somebody's way, with what was decided about each message", statistics.EnrolmentPath,
        query=(AT,), refusals=("unknown_enrolment", "invalid_timestamp", "not_yet"),
    ),
    Route(
        "GET", "/v1/automations/{name}/statistics", "getAutomationStatistics",
        "Count who began, acted, was skipped, left, waits and converted", statistics.Statistics,
        about="Counts are exact, whatever is repeated. Each passage counts.", query=(_VERSION,),
        refusals=(*_AUTOMATION, "invalid_version", "no_such_version"), example="statistics.api",
    ),
    Route(
        "GET", "/v1/automations/{name}/components/{component}/people", "listPeopleAtComponent",
        "List who acted at a component, or waits there", statistics.PeopleAtComponent,
        about="Who acted, the latest of each outcome first; who is waiting, by when they go on. Of a wait, those acted"
        " who passed it, and of an end who came to it: they stand together by where they came from, and `at` is when"
        " the wait was over, or their way; null where that is not known.",
        query=(
            Query("who", "`acted` (default) or `waiting`.", {"type": "string", "enum": ["acted", "waiting"]}),
            Query("outcome", "Only whom this came of, such as `skipped`."), _VERSION, *PAGE,
        ),
        refusals=(*_AUTOMATION, "invalid_version", "no_such_version", "no_such_component", "invalid_who"),
    ),
    Route(
        "POST", "/v1/automations/{name}/resume", "resumeAutomation",
        "Lift a pause, or give those a new run whose execution was lost", shapes.Resumed,
        about="A job resumes those that were parked by the pause. Where nothing is paused, or with `lost`, a page of"
        " those who entered is looked at: go on with `cursor` until there is none. `contact` and `entry` name one. Who"
        " has not started yet is left alone for an hour and a half after they entered, unless `starting` is true.",
        body=Body(ResumeOrder, required=False),
        refusals=(
            *_CHANGES, *_MACHINES, "invalid_cursor", "unknown_enrolment", "start_throttled", "start_failed",
            "describe_failed", "describe_throttled", "stop_failed",
        ),
    ),
    Route(
        "POST", "/v1/automations/{name}/{action}", "changeAutomation", "Pause, archive, unarchive or end an automation",
        shapes.AutomationMoved,
        about="`pause` lets nobody enter (`what`: `entries`), or nothing happen at all (`all`). `archive` lets nobody"
        " enter any more, and with `end` ends those inside. `end` ends everybody inside, or those in a `version`. Jobs"
        " do it, page by page; what is so already changes nothing.",
        body=Body(shapes.AutomationOrder, required=False),
        refusals=(*_CHANGES, "unknown_action", "automation_archived", "too_many_paused"),
    ),
    Route(
        "GET", "/v1/automations/{name}/lost", "listLostEnrolments", "List those inside who have no execution",
        LostEnrolments,
        about="Those who failed too. Who entered less than an hour and a half ago and has not started yet is not lost:"
        " their start may be on its way. A page looks at up to `limit` of those who entered: it may be short, or"
        " empty, and still have a next one.",
        query=PAGE, refusals=(*_AUTOMATION, "describe_failed", "describe_throttled"),
    ),
    Route(
        "POST", "/v1/automations/{name}/start", "startAutomation", "Ask an automation to take somebody in",
        shapes.Started, status=202, body=Body(StartOrder),
        about="For automations whose trigger is `api: true`. Their rules decide, a moment later, whether the person "
        "enters. A repeat with the same idempotency key starts nothing.",
        refusals=(
            *WRITES, *_AUTOMATION, "invalid_request", "unknown_contact", "invalid_email", "properties_too_large",
            "reserved_property", "not_started_by_calls", "automation_paused", "automation_archived",
            "idempotency_conflict",
        ),
    ),
    Route(
        "GET", "/v1/webhooks/secret", "getWebhookSecret", "Show by which secret webhooks are signed",
        shapes.WebhookSecrets, refusals=("unknown_workspace", "no_webhook_secret"), example="call_webhook.api",
    ),
)  # fmt: skip

SUPPRESSIONS = (
    Route(
        "GET", "/v1/suppressions", "listSuppressions", "List suppressed addresses", shapes.Suppressions,
        about="Those in force, that came last first; a page may be short and still have a next one.",
        query=(Query("channel", "`email` (default) or `sms`."), *PAGE), refusals=("unknown_channel",),
    ),
    Route(
        "POST", "/v1/suppressions/check", "checkSuppression", "Ask whether a message may go to an address",
        shapes.CheckAnswer, body=Body(shapes.CheckOrder, "check_suppression.api"),
        about="As a send would be answered: by the list, the rules and, for a `kind`, the consents.",
        refusals=(*_ADDRESS, "missing_field", "invalid_request", "unknown_contact", "invalid_email"),
    ),
    Route(
        "GET", "/v1/suppressions/{channel}/{address}", "getSuppression", "Show why an address is suppressed",
        shapes.SuppressionShown, refusals=(*_ADDRESS, "not_suppressed"),
    ),
    Route(
        "PUT", "/v1/suppressions/{channel}/{address}", "suppress", "Suppress an address",
        shapes.SuppressionShown, body=Body(shapes.SuppressionOrder, "suppressions.api", required=False),
        about="Suppressing it again changes nothing.",
        refusals=(*WRITES, *_ADDRESS, "invalid_timestamp", "expiry_in_past"),
    ),
    Route(
        "DELETE", "/v1/suppressions/{channel}/{address}", "release", "Take an address off the list", shapes.Released,
        about="But for an erased person's, which stays, and that of who answered STOP, who alone takes it back.",
        refusals=(
            *WRITES, *_ADDRESS, "not_suppressed", "person_erased", "stopped_by_person", "consent_contended",
            "provider_throttled", "provider_failed",
        ),
    ),
)  # fmt: skip

LINTED = frozenset({"applyAutomation", "publishAutomation"})
"""Routes that answer with the code of the first mistake in an automation."""

LINT_CODES = lint_codes()
