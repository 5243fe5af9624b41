"""Consents, topics, suppression rules and wishes to subscribe."""

from __future__ import annotations

from tidings.consent.asking import ReplyInput
from tidings.consent.screening import RuleInput
from tidings.consent.topics import TopicInput
from tidings.email.subscriptions import SubscriptionRequest
from tidings_cli.openapi.answers import consents as shapes
from tidings_cli.openapi.routes.route import PAGE, WRITES, Body, Key, Route

_ADDRESS = ("unknown_channel", "invalid_address")
_POLICY = (*WRITES, "policy_changed", "unknown_workspace")

CONSENTS = (
    Route(
        "GET", "/v1/consents/{channel}/{address}", "getConsents", "Show what an address said",
        shapes.ConsentsShown, refusals=_ADDRESS,
    ),
    Route(
        "PUT", "/v1/consents/{channel}/{address}/{topic}", "setConsent", "Write down what was said about a topic",
        shapes.ReplySet, about="The topic `*` is all marketing. Nobody but the person takes their own no back.",
        body=Body(ReplyInput, "consents.api"),
        refusals=(
            *WRITES, *_ADDRESS, "invalid_request", "missing_proof", "invalid_timestamp", "unknown_topic", "own_no",
            "person_erased", "consent_contended",
        ),
    ),
    Route(
        "GET", "/v1/consents/{channel}/{address}/log", "listConsentLog", "List what changed of an address",
        shapes.LogPage, query=PAGE, refusals=_ADDRESS,
    ),
    Route(
        "POST", "/v1/consents/import", "importConsents", "Import what many addresses said", shapes.Imported,
        about="Never over a person's own no. The same again changes nothing.",
        body=Body(shapes.ImportOrder, "consents.api.import"),
        refusals=(*WRITES, "invalid_rows", "unknown_channel", "consent_contended"),
    ),
    Route(
        "POST", "/v1/subscriptions", "subscribe", "Ask somebody to confirm that they want mail about a topic",
        shapes.Wished, status=202, key=Key.REPORTING,
        about="Grants nothing: a mail with a link goes to the address, once a day at most.",
        body=Body(SubscriptionRequest, "subscriptions.api"),
        refusals=(
            *WRITES, "invalid_request", "invalid_address", "unknown_topic", "no_confirmation", "no_public_url",
            "unknown_template", "unknown_workspace", "consent_contended", "contact_contended", "message_contended",
            "provider_throttled", "invalid_text", "nested_too_deep", "body_too_large",
        ),
    ),
)  # fmt: skip

TOPICS = (
    Route("GET", "/v1/topics", "listTopics", "List all topics", shapes.Topics, refusals=("unknown_workspace",)),
    Route(
        "GET", "/v1/topics/{topic}", "getTopic", "Show a topic", shapes.TopicShown,
        refusals=("unknown_topic", "unknown_workspace"),
    ),
    Route(
        "PUT", "/v1/topics/{topic}", "defineTopic", "Define a topic", shapes.TopicShown,
        about="Defining the same again changes nothing.", body=Body(TopicInput, "policy.api"),
        refusals=(*_POLICY, "invalid_name", "name_mismatch", "invalid_request", "too_many_definitions"),
    ),
    Route(
        "DELETE", "/v1/topics/{topic}", "forgetTopic", "Forget a topic", shapes.Forgotten,
        refusals=(*_POLICY, "unknown_topic"),
    ),
)  # fmt: skip

RULES = (
    Route(
        "GET", "/v1/suppression-rules", "listSuppressionRules", "List all suppression rules", shapes.Rules,
        refusals=("unknown_workspace",),
    ),
    Route(
        "GET", "/v1/suppression-rules/{rule}", "getSuppressionRule", "Show a suppression rule", shapes.RuleShown,
        refusals=("unknown_suppression_rule", "unknown_workspace"),
    ),
    Route(
        "PUT", "/v1/suppression-rules/{rule}", "defineSuppressionRule", "Define a suppression rule", shapes.RuleShown,
        about="Whoever meets it gets no message; functions notice within 60 seconds, sends at once.",
        body=Body(RuleInput, "policy.api.rule"),
        refusals=(
            *_POLICY, "invalid_name", "name_mismatch", "invalid_request", "invalid_condition", "too_many_definitions",
        ),
    ),
    Route(
        "DELETE", "/v1/suppression-rules/{rule}", "forgetSuppressionRule", "Forget a suppression rule",
        shapes.Forgotten,
        refusals=(*_POLICY, "unknown_suppression_rule"),
    ),
)  # fmt: skip
