"""Calls that report what people do."""

from __future__ import annotations

from collections.abc import Iterator

from tidings_cli.openapi.answers import ingest as shapes
from tidings_cli.openapi.routes.route import WRITES, Body, Key, Route

_CALL = (
    *("message_too_large", "message_id_too_long", "id_too_long", "no_user_anon_id", "invalid_timestamp"),
    *("invalid_text", "nested_too_deep"),
)
_BROWSER = "The path that analytics.js uses for the same call."


def _call(
    name: str, summary: str, call: type[shapes.Call], *refusals: str, short: str = "", about: str = ""
) -> Iterator[Route]:
    """The route of a call, and the short one of the SDK for browsers."""
    for path, kind, told in ((name, name, about), (short, f"{name}Short", _BROWSER)):
        if path:
            yield Route(
                "POST", f"/v1/{path}", kind, summary, shapes.Reported, key=Key.REPORTING, about=told,
                body=Body(call, f"{name}.api"), refusals=(*_CALL, *refusals),
            )  # fmt: skip


def _batch(path: str, name: str, about: str) -> Route:
    return Route(
        "POST", path, name, "Send many calls at once", shapes.BatchReported, about=about,
        key=Key.REPORTING, body=Body(shapes.BatchCall, "batch.api"),
        refusals=("batch_too_large", "batch_too_long", "context_too_large", "invalid_text", "nested_too_deep"),
    )  # fmt: skip


ROUTES = (
    *_call("identify", "Tell who somebody is", shapes.IdentifyCall, short="i"),
    *_call("track", "Tell what somebody did", shapes.TrackCall, "missing_event", short="t"),
    *_call("page", "Tell what somebody looked at", shapes.PageCall, short="p"),
    *_call("screen", "Tell what somebody looked at in an app", shapes.ScreenCall, short="s"),
    *_call("group", "Tell which company somebody belongs to", shapes.GroupCall, "missing_group_id", short="g"),
    *_call("ungroup", "Tell that somebody left a company", shapes.UngroupCall, "missing_group_id"),
    *_call(
        "alias", "Tell that two ids are of one person", shapes.AliasCall, "missing_previous_id", "missing_user_id",
        short="a", about="Two users whom the app has identified are never made one.",
    ),
    _batch("/v1/batch", "batch", "The good items are stored; the answer lists the others and why."),
    _batch("/v1/b", "batchShort", _BROWSER),
    Route(
        "POST", "/v1/forms", "submitForm", "Submit what somebody typed into a form", shapes.FormSubmitted,
        about="Submitting the same form twice changes nothing.",
        key=Key.REPORTING, body=Body(shapes.FormCall, "forms.api"),
        refusals=(*_CALL, *WRITES, "invalid_email", "invalid_phone", "contact_contended"),
    ),
    Route(
        "GET", "/v1/projects/{writeKey}/settings", "getSdkSettings", "What analytics.js asks for before it starts",
        shapes.SdkSettings, key=Key.NONE, refusals=("unknown_key", "secret_key_in_browser", "read_throttled",
        "write_throttled", "database_failed"),
    ),
)  # fmt: skip
