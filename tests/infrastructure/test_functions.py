"""Functions, their folders, their routes and their settings belong together one to one."""

import importlib.util
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.template import ROOT, grants, root_stack, table_variables

from tidings.core.settings import Settings

STACK = root_stack()
FUNCTIONS = list(STACK.of_type("AWS::Serverless::Function"))
COMMON = set(STACK.template["Globals"]["Function"]["Environment"]["Variables"])

# Tables that a function is told of and never touches: one store keeps two tables, and looks for both when it starts.
TOLD_ONLY = {
    ("SendsFunction", "TABLE_TEMPLATES"): "it takes no sends in, which send_email does",
    ("SuppressionsFunction", "TABLE_CONTACTS"): "it asks the store of contacts for identities only",
    ("SesEventsFunction", "TABLE_CONTACTS"): "it asks the store of contacts for identities only",
    ("SmsEventsFunction", "TABLE_CONTACTS"): "it asks the store of contacts for identities only",
    ("ConsentsFunction", "TABLE_CONTACTS"): "it asks the store of contacts for identities only",
    ("AgendaFunction", "TABLE_IDENTITIES"): "it asks the store of contacts for contacts only",
    ("RunJobsFunction", "TABLE_IDENTITIES"): "it asks the store of contacts for contacts only",
    ("BranchFunction", "TABLE_IDENTITIES"): "it asks the store of contacts for contacts only",
    ("CallWebhookFunction", "TABLE_IDENTITIES"): "it asks the store of contacts for contacts only",
    ("WaitForFunction", "TABLE_IDENTITIES"): "it asks the store of contacts for contacts only",
    ("ExportFunction", "TABLE_IDENTITIES"): "it asks the store of contacts for contacts only",
    ("ConversationsFunction", "TABLE_IDENTITIES"): "it asks the store of contacts for contacts only",
    ("ChangeContactsFunction", "TABLE_CONSENTS"): "it takes people out without keeping them out",
    ("AutomationsFunction", "TABLE_STEPS"): "it asks the store of enrolments for enrolments only",
    ("ChainFunction", "TABLE_STEPS"): "it asks the store of enrolments for enrolments only",
    ("RunJobsFunction", "TABLE_STEPS"): "it asks the store of enrolments for enrolments only",
    ("StartEnrolmentsFunction", "TABLE_STEPS"): "it asks the store of enrolments for enrolments only",
    ("SettleExecutionsFunction", "TABLE_STEPS"): "it asks the store of enrolments for enrolments only",
}

# The store of contacts looks for the table of counts when it first counts: most functions never do. What sends the
# answers to texts is made for the first of them, and looks for the table of short links then. The store of enrolments
# looks for the table of what it counts when it first writes.
ASKED_LATE = {"TABLE_COUNTERS", "TABLE_SHORT_LINKS", "TABLE_TALLIES"}
# What sends replies is made for the first of them.
FOR_REPLIES = {
    "SES_CONFIGURATION_SET_MARKETING", "SES_CONFIGURATION_SET_TRANSACTIONAL", "SMS_CONFIGURATION_SET",
    "TABLE_CONSENTS", "TABLE_CONTACTS", "TABLE_IDENTITIES", "TABLE_MESSAGES", "TABLE_REPORTS", "TABLE_SHORT_LINKS",
    "TABLE_TEMPLATES",
}  # fmt: skip
# Where automations begin is asked only to show ways as they stood at an earlier time.
LATE_IN = {"ConversationsFunction": FOR_REPLIES, "ContactsFunction": {"TABLE_AUTOMATIONS"}}

every_function = pytest.mark.parametrize("function", FUNCTIONS)


def folder_of(function: str) -> str:
    """send_email for SendEmailFunction."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", function.removesuffix("Function")).lower()


def variables_of(function: str) -> dict[str, str]:
    """What the template tells the function, beyond what it tells all."""
    variables = STACK.properties(function).get("Environment", {}).get("Variables", {})
    return {name: value for name, value in variables.items() if name not in COMMON}


def routes() -> Iterator[tuple[str, str, str]]:
    """Every route: method, path, function."""
    for function in FUNCTIONS:
        for event in STACK.properties(function).get("Events", {}).values():
            if event["Type"] == "HttpApi":
                assert event["Properties"]["ApiId"] == "Api"
                yield event["Properties"]["Method"], event["Properties"]["Path"], function


def test_every_folder_with_a_handler_is_a_function_of_the_template() -> None:
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}
    assert folders == {folder_of(function) for function in FUNCTIONS}


@every_function
def test_a_function_s_folder_and_names_follow_from_its_logical_id(function: str) -> None:
    properties = STACK.properties(function)
    assert properties["CodeUri"] == f"functions/{folder_of(function)}/"
    assert properties["FunctionName"] == f"tidings-{function.removesuffix('Function')}"


def test_no_route_is_served_twice() -> None:
    served = Counter((method, re.sub(r"\{\w+\}", "{}", path)) for method, path, _ in routes())
    assert [route for route, count in served.items() if count > 1] == []


def test_the_api_has_exactly_these_routes() -> None:
    assert sorted(routes(), key=lambda route: (route[1], route[0])) == [
        ("GET", "/confirm/{token}", "UnsubscribeFunction"),
        ("HEAD", "/confirm/{token}", "UnsubscribeFunction"),
        ("POST", "/confirm/{token}", "UnsubscribeFunction"),
        ("GET", "/h/{token}", "UnsubscribeFunction"),
        ("HEAD", "/h/{token}", "UnsubscribeFunction"),
        ("GET", "/l/{code}", "LinksFunction"),
        ("HEAD", "/l/{code}", "LinksFunction"),
        ("GET", "/openapi.json", "OpenapiFunction"),
        ("GET", "/u/{token}", "UnsubscribeFunction"),
        ("HEAD", "/u/{token}", "UnsubscribeFunction"),
        ("POST", "/u/{token}", "UnsubscribeFunction"),
        ("POST", "/v1/a", "AliasFunction"),
        ("POST", "/v1/alias", "AliasFunction"),
        ("GET", "/v1/automations", "AutomationsFunction"),
        ("GET", "/v1/automations/{name}", "AutomationsFunction"),
        ("PUT", "/v1/automations/{name}", "AutomationsFunction"),
        ("GET", "/v1/automations/{name}/components/{component}/people", "StatisticsFunction"),
        ("GET", "/v1/automations/{name}/drawing", "AutomationsFunction"),
        ("GET", "/v1/automations/{name}/enrolments", "StatisticsFunction"),
        ("GET", "/v1/automations/{name}/enrolments/{contact}/{enrolment}", "StatisticsFunction"),
        ("GET", "/v1/automations/{name}/lost", "AutomationsFunction"),
        ("POST", "/v1/automations/{name}/publish", "AutomationsFunction"),
        ("POST", "/v1/automations/{name}/resume", "AutomationsFunction"),
        ("POST", "/v1/automations/{name}/start", "AutomationsFunction"),
        ("GET", "/v1/automations/{name}/statistics", "StatisticsFunction"),
        ("GET", "/v1/automations/{name}/versions", "AutomationsFunction"),
        ("POST", "/v1/automations/{name}/{action}", "AutomationsFunction"),
        ("POST", "/v1/b", "BatchFunction"),
        ("POST", "/v1/batch", "BatchFunction"),
        ("GET", "/v1/brand", "BrandFunction"),
        ("PUT", "/v1/brand", "BrandFunction"),
        ("GET", "/v1/categories", "PolicyFunction"),
        ("DELETE", "/v1/categories/{category}", "PolicyFunction"),
        ("PUT", "/v1/categories/{category}", "PolicyFunction"),
        ("GET", "/v1/chain", "ChainFunction"),
        ("GET", "/v1/companies", "CompaniesFunction"),
        ("GET", "/v1/companies/{company}", "CompaniesFunction"),
        ("PUT", "/v1/companies/{company}", "CompaniesFunction"),
        ("GET", "/v1/companies/{company}/contacts", "CompaniesFunction"),
        ("DELETE", "/v1/companies/{company}/contacts/{contact}", "CompaniesFunction"),
        ("PUT", "/v1/companies/{company}/contacts/{contact}", "CompaniesFunction"),
        ("GET", "/v1/conflicts", "FormsFunction"),
        ("DELETE", "/v1/conflicts/{conflict}", "FormsFunction"),
        ("POST", "/v1/consents/import", "ConsentsFunction"),
        ("GET", "/v1/consents/{channel}/{address}", "ConsentsFunction"),
        ("GET", "/v1/consents/{channel}/{address}/log", "ConsentsFunction"),
        ("PUT", "/v1/consents/{channel}/{address}/{topic}", "ConsentsFunction"),
        ("GET", "/v1/contacts", "ContactsFunction"),
        ("GET", "/v1/contacts/counts", "ContactsFunction"),
        ("POST", "/v1/contacts/delete", "ChangeContactsFunction"),
        ("DELETE", "/v1/contacts/{contact}", "ChangeContactsFunction"),
        ("GET", "/v1/contacts/{contact}", "ContactsFunction"),
        ("PATCH", "/v1/contacts/{contact}", "ChangeContactsFunction"),
        ("GET", "/v1/contacts/{contact}/conversations", "ContactsFunction"),
        ("GET", "/v1/contacts/{contact}/decisions", "WhyFunction"),
        ("GET", "/v1/contacts/{contact}/enrolments", "ContactsFunction"),
        ("POST", "/v1/contacts/{contact}/erase", "EraseFunction"),
        ("GET", "/v1/contacts/{contact}/export", "ExportFunction"),
        ("GET", "/v1/contacts/{contact}/merges", "MergesFunction"),
        ("GET", "/v1/contacts/{contact}/messages", "ContactsFunction"),
        ("GET", "/v1/contacts/{contact}/timeline", "ContactsFunction"),
        ("GET", "/v1/conversations", "ConversationsFunction"),
        ("GET", "/v1/conversations/counts", "ConversationsFunction"),
        ("GET", "/v1/conversations/{conversation}", "ConversationsFunction"),
        ("POST", "/v1/conversations/{conversation}/hold", "ConversationsFunction"),
        ("GET", "/v1/conversations/{conversation}/mails/{entry}", "ConversationsFunction"),
        ("POST", "/v1/conversations/{conversation}/notes", "ConversationsFunction"),
        ("POST", "/v1/conversations/{conversation}/replies", "ConversationsFunction"),
        ("POST", "/v1/conversations/{conversation}/resolve", "ConversationsFunction"),
        ("POST", "/v1/conversations/{conversation}/resume", "ConversationsFunction"),
        ("POST", "/v1/conversations/{conversation}/take", "ConversationsFunction"),
        ("POST", "/v1/conversations/{conversation}/transfer", "ConversationsFunction"),
        ("POST", "/v1/emails", "SendEmailFunction"),
        ("POST", "/v1/forms", "FormsFunction"),
        ("POST", "/v1/g", "GroupFunction"),
        ("POST", "/v1/group", "GroupFunction"),
        ("POST", "/v1/i", "IdentifyFunction"),
        ("POST", "/v1/identify", "IdentifyFunction"),
        ("GET", "/v1/inboxes", "PolicyFunction"),
        ("DELETE", "/v1/inboxes/{inbox}", "PolicyFunction"),
        ("PUT", "/v1/inboxes/{inbox}", "PolicyFunction"),
        ("GET", "/v1/keywords", "NumbersFunction"),
        *((method, "/v1/keywords/{keyword}", "NumbersFunction") for method in ("DELETE", "GET", "PUT")),
        ("POST", "/v1/merges", "MergesFunction"),
        ("POST", "/v1/merges/preview", "MergesFunction"),
        ("POST", "/v1/merges/{merge}/undo", "MergesFunction"),
        ("GET", "/v1/messages", "MessagesFunction"),
        ("GET", "/v1/messages/{message}", "MessagesFunction"),
        ("GET", "/v1/messages/{message}/clicks", "MessagesFunction"),
        ("POST", "/v1/messages/{message}/resend", "SendEmailFunction"),
        ("GET", "/v1/numbers", "NumbersFunction"),
        *((method, "/v1/numbers/{number}", "NumbersFunction") for method in ("DELETE", "GET", "PUT")),
        ("POST", "/v1/p", "PageFunction"),
        ("POST", "/v1/page", "PageFunction"),
        ("GET", "/v1/projects/{writeKey}/settings", "SettingsFunction"),
        ("GET", "/v1/reports/email", "ReportsFunction"),
        ("GET", "/v1/reports/email/messages", "ReportsFunction"),
        ("GET", "/v1/reports/sms", "ReportsFunction"),
        ("GET", "/v1/reports/sms/messages", "ReportsFunction"),
        ("POST", "/v1/s", "ScreenFunction"),
        ("POST", "/v1/screen", "ScreenFunction"),
        ("GET", "/v1/sender-ids", "SenderIdsFunction"),
        ("POST", "/v1/sender-ids", "SenderIdsFunction"),
        ("DELETE", "/v1/sender-ids/{sender_id}", "SenderIdsFunction"),
        ("GET", "/v1/sender-ids/{sender_id}", "SenderIdsFunction"),
        ("GET", "/v1/sender-ids/{sender_id}/log", "SenderIdsFunction"),
        ("POST", "/v1/sender-ids/{sender_id}/{decision}", "SenderIdsFunction"),
        ("GET", "/v1/senders", "SendersFunction"),
        ("DELETE", "/v1/senders/{identity}", "SendersFunction"),
        ("GET", "/v1/senders/{identity}", "SendersFunction"),
        ("PUT", "/v1/senders/{identity}", "SendersFunction"),
        ("GET", "/v1/sending", "SendingFunction"),
        ("POST", "/v1/sending/resume", "SendingFunction"),
        ("GET", "/v1/sends", "SendsFunction"),
        ("DELETE", "/v1/sends/{send}", "SendsFunction"),
        ("GET", "/v1/sends/{send}", "SendsFunction"),
        ("GET", "/v1/sends/{send}/problems", "SendsFunction"),
        ("POST", "/v1/sends/{send}/resume", "SendsFunction"),
        ("POST", "/v1/sms", "SendSmsFunction"),
        ("GET", "/v1/sms/countries", "SenderIdsFunction"),
        ("POST", "/v1/sms/preview", "SendSmsFunction"),
        ("GET", "/v1/sms/setup", "SenderIdsFunction"),
        ("PUT", "/v1/sms/setup", "SenderIdsFunction"),
        ("GET", "/v1/sms/setup/log", "SenderIdsFunction"),
        ("POST", "/v1/subscriptions", "SubscriptionsFunction"),
        ("GET", "/v1/suppression-rules", "PolicyFunction"),
        ("DELETE", "/v1/suppression-rules/{rule}", "PolicyFunction"),
        ("GET", "/v1/suppression-rules/{rule}", "PolicyFunction"),
        ("PUT", "/v1/suppression-rules/{rule}", "PolicyFunction"),
        ("GET", "/v1/suppressions", "SuppressionsFunction"),
        ("POST", "/v1/suppressions/check", "CheckSuppressionFunction"),
        ("DELETE", "/v1/suppressions/{channel}/{address}", "SuppressionsFunction"),
        ("GET", "/v1/suppressions/{channel}/{address}", "SuppressionsFunction"),
        ("PUT", "/v1/suppressions/{channel}/{address}", "SuppressionsFunction"),
        ("POST", "/v1/t", "TrackFunction"),
        ("GET", "/v1/templates", "TemplatesFunction"),
        ("POST", "/v1/templates/lint", "TemplatesFunction"),
        ("GET", "/v1/templates/{name}", "TemplatesFunction"),
        ("PUT", "/v1/templates/{name}", "TemplatesFunction"),
        ("POST", "/v1/templates/{name}/preview", "TemplatesFunction"),
        ("GET", "/v1/templates/{name}/versions", "TemplatesFunction"),
        ("GET", "/v1/templates/{name}/versions/{version}", "TemplatesFunction"),
        ("GET", "/v1/topics", "PolicyFunction"),
        ("DELETE", "/v1/topics/{topic}", "PolicyFunction"),
        ("GET", "/v1/topics/{topic}", "PolicyFunction"),
        ("PUT", "/v1/topics/{topic}", "PolicyFunction"),
        ("POST", "/v1/track", "TrackFunction"),
        ("POST", "/v1/ungroup", "UngroupFunction"),
        ("GET", "/v1/webhooks/secret", "CallWebhookFunction"),
        ("POST", "/v1/webhooks/ses", "SesWebhookFunction"),
        ("GET", "/v1/why", "WhyFunction"),
    ]


def test_browsers_may_send_what_sdks_send() -> None:
    cors = STACK.properties("Api")["CorsConfiguration"]
    assert cors["AllowOrigins"] == ["*"]
    # A wildcard would not cover authorization: https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name
    assert set(cors["AllowHeaders"]) == {"authorization", "content-type", "x-retry-count"}
    assert {"GET", "POST"} <= set(cors["AllowMethods"])


def test_a_page_s_script_may_read_when_to_come_back() -> None:
    cors = STACK.properties("Api")["CorsConfiguration"]
    assert set(cors["ExposeHeaders"]) == {"retry-after", "x-ratelimit-reset", "x-next-cursor"}


def test_preflights_are_answered_by_the_api_and_wake_no_function() -> None:
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
    assert {method for method, _, _ in routes()} & {"OPTIONS", "ANY"} == set()


def test_the_api_writes_no_access_log() -> None:
    assert "AccessLogSettings" not in STACK.properties("Api")


@every_function
def test_a_function_is_told_exactly_what_it_asks_for(function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in STACK.properties(function).get("Environment", {}).get("Variables", {}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    asked: set[str] = set()
    require = Settings.require

    def remember(settings: Settings, name: str) -> str:
        asked.add(name)
        return require(settings, name)

    monkeypatch.setattr(Settings, "require", remember)
    load(ROOT / "functions" / folder_of(function) / "app.py")

    told = set(variables_of(function))
    assert asked <= told
    assert told - asked <= ASKED_LATE | LATE_IN.get(function, set())


def load(path: Path) -> None:
    specification = importlib.util.spec_from_file_location(f"app_of_{path.parent.name}", path)
    assert specification is not None
    assert specification.loader is not None
    specification.loader.exec_module(importlib.util.module_from_spec(specification))


def test_only_settings_read_the_environment() -> None:
    layer = ROOT / "layers" / "tidings" / "tidings"
    sources = [*layer.rglob("*.py"), *(ROOT / "functions").rglob("*.py")]
    reading = [path for path in sources if re.search(r"\bos\.environ\b|\bgetenv\b", path.read_text(encoding="utf-8"))]
    assert reading == [layer / "core" / "settings.py"]


@every_function
def test_a_function_is_told_of_the_tables_that_it_may_touch_and_no_others(function: str) -> None:
    tables = {
        match[1]
        for grant in grants()[function]
        if not grant.by_lambda and (match := re.search(r":table/(\w+)", grant.resource))
    }
    granted = {variable for variable, table in table_variables().items() if table in tables}
    told = {variable for variable in variables_of(function) if variable.startswith("TABLE_")}
    told_only = {variable for named, variable in TOLD_ONLY if named == function}
    assert granted == told - told_only
    assert told_only <= told


@every_function
def test_a_table_s_variable_names_that_table(function: str) -> None:
    names = table_variables()
    for variable, value in variables_of(function).items():
        if variable.startswith("TABLE_"):
            assert value == names[variable]


def test_the_automations_function_is_told_whom_machines_may_call() -> None:
    told = variables_of("AutomationsFunction")
    for step in ("SendEmail", "WaitFor", "Branch", "CheckSuppression", "CallWebhook", "Act"):
        variable = f"FUNCTION_{re.sub(r'(?<!^)(?=[A-Z])', '_', step).upper()}_ARN"
        assert told[variable] == f"arn:aws:lambda:us-east-1:000000000000:function:tidings-{step}"
    assert told["MACHINES_ROLE_ARN"] == "arn:aws:iam::000000000000:role/MachinesRole"


def test_no_other_stack_s_name_makes_the_prefix_of_this_one_s_machines() -> None:
    # Names of stacks hold letters, digits and hyphens.
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*_", variables_of("AutomationsFunction")["MACHINE_PREFIX"])


@every_function
def test_a_function_s_block_keeps_the_order_of_its_properties(function: str) -> None:
    order = [
        *("FunctionName", "CodeUri", "Layers", "Events", "Environment", "Policies"),
        *("DeadLetterQueue", "EventInvokeConfig", "LoggingConfig", "MemorySize", "Timeout"),
    ]
    properties = list(STACK.resources[function]["Properties"])
    assert properties == [name for name in order if name in properties]
