"""Templates, automations and suppressions."""

from __future__ import annotations

from tidings.messages.model import TemplateInput
from tidings.messages.preview import PreviewRequest
from tidings_cli.openapi.answers import automations as shapes
from tidings_cli.openapi.answers.base import AutomationError
from tidings_cli.openapi.answers.contacts import AutomationEnrolments
from tidings_cli.openapi.codes import lint_codes
from tidings_cli.openapi.routes.route import PAGE, WRITES, Body, Query, Route

_TEMPLATE = ("unknown_template",)
_AUTOMATION = ("unknown_automation",)
_ADDRESS = ("unknown_channel", "invalid_address")

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
    Route("GET", "/v1/automations", "listAutomations", "List all automations", shapes.Automations),
    Route(
        "GET", "/v1/automations/{name}", "getAutomation", "Show an automation", shapes.AutomationShown,
        refusals=_AUTOMATION,
    ),
    Route(
        "PUT", "/v1/automations/{name}", "applyAutomation", "Keep an automation as a draft", shapes.AutomationApplied,
        about="Whoever is in it, or enters it, is not concerned before it is published.",
        body=Body("Automation", "automations.api", without="automation"),
        refusals=(*WRITES, "name_mismatch"), error=AutomationError,
    ),
    Route(
        "POST", "/v1/automations/{name}/publish", "publishAutomation", "Publish what was applied",
        shapes.AutomationPublished,
        about="Who enters from now on takes the new version; who is inside an earlier one finishes on that.",
        refusals=(*WRITES, *_AUTOMATION, "automation_changed", "machine_failed"), error=AutomationError,
    ),
    Route(
        "GET", "/v1/automations/{name}/versions", "listAutomationVersions", "List an automation's published versions",
        shapes.AutomationVersions, refusals=_AUTOMATION,
    ),
    Route(
        "GET", "/v1/automations/{name}/enrolments", "listAutomationEnrolments", "List everybody who entered",
        AutomationEnrolments, refusals=_AUTOMATION,
    ),
    Route(
        "POST", "/v1/automations/{name}/resume", "resumeAutomation",
        "Give everybody whose execution was lost a new run, from where they were", shapes.Resumed,
        refusals=(*WRITES, *_AUTOMATION, "start_throttled", "machine_failed", "start_failed", "describe_failed"),
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
