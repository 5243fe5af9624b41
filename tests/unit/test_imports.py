"""What each function imports, in a clean interpreter that has the dependencies layer and nothing else.

Cold starts are the slowest thing a caller meets, and imports are most of them. Whoever adds one sees it here.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from benchmarks.interpreter import Interpreter, clean, functions
from benchmarks.starts import Start, start

# Modules that are not Python's own, as counted in November 2026, and what may be added unnoticed.
MODULES = {
    "act": 344,
    "agenda": 314,
    "alias": 219,
    "automations": 344,
    "batch": 219,
    "branch": 320,
    "brand": 252,
    "call_webhook": 319,
    "chain": 283,
    "change_contacts": 239,
    "check_senders": 203,
    "check_suppression": 321,
    "companies": 226,
    "consents": 292,
    "contacts": 299,
    "conversations": 304,
    "deliver": 431,
    "email_inbound": 312,
    "erase": 224,
    "erasures": 332,
    "export": 310,
    "forms": 231,
    "group": 219,
    "identify": 219,
    "merges": 240,
    "links": 278,
    "messages": 278,
    "mirror_suppressions": 219,
    "numbers": 274,
    "openapi": 57,
    "page": 219,
    "policy": 280,
    "react": 368,
    "reports": 281,
    "review_sender_ids": 274,
    "run_jobs": 324,
    "screen": 219,
    "send_email": 491,
    "send_sms": 487,
    "sender_ids": 278,
    "senders": 210,
    "sending": 261,
    "sends": 272,
    "ses_events": 292,
    "ses_webhook": 177,
    "settings": 205,
    "settle_executions": 163,
    "settle_messages": 263,
    "sms_events": 295,
    "sms_inbound": 336,
    "start_enrolments": 290,
    "statistics": 305,
    "subscriptions": 433,
    "suppressions": 231,
    "templates": 257,
    "track": 219,
    "ungroup": 219,
    "unsubscribe": 283,
    "wait_for": 319,
    "wake_conversations": 180,
    "why": 325,
}
HEADROOM = 1.05

# Who renders a mail as a rule: `subscriptions` the one that asks somebody to confirm.
SENDING = {"deliver", "send_email", "send_sms", "subscriptions"}

INGEST = ("alias", "batch", "group", "identify", "page", "screen", "settings", "track", "ungroup")
# boto3's own is left out of all: botocore does the calls. A tracer, requests and the rest nobody needs.
NOWHERE = ("boto3", "s3transfer", "yaml", "requests", "aws_xray_sdk", "multiprocessing")
# What is imported when an event first needs it.
LATE = ("cryptography", "dns", "idna", "phonenumbers", "ua_parser", "maxminddb", "css_inline")


@pytest.fixture(scope="module")
def interpreter() -> Iterator[Interpreter]:
    with clean() as made:
        yield made


@pytest.fixture(scope="module")
def started() -> dict[str, Start]:
    """The functions that were started, so that each is started once."""
    return {}


def of(function: str, interpreter: Interpreter, started: dict[str, Start]) -> Start:
    if function not in started:
        started[function] = start(interpreter, function)
    return started[function]


def packages(modules: tuple[str, ...]) -> set[str]:
    return {module.split(".")[0] for module in modules}


every_function = pytest.mark.parametrize("function", functions())


def test_every_function_has_a_ceiling() -> None:
    assert sorted(MODULES) == functions()


@every_function
def test_a_function_imports_no_more_than_it_did(
    function: str, interpreter: Interpreter, started: dict[str, Start]
) -> None:
    modules = of(function, interpreter, started).third_party
    assert len(modules) <= MODULES[function] * HEADROOM, sorted(modules)


@every_function
def test_no_function_imports_what_none_needs(
    function: str, interpreter: Interpreter, started: dict[str, Start]
) -> None:
    assert packages(of(function, interpreter, started).modules).isdisjoint({*NOWHERE, *LATE})


@pytest.mark.parametrize("function", INGEST)
def test_ingest_imports_neither_models_nor_templates(
    function: str, interpreter: Interpreter, started: dict[str, Start]
) -> None:
    assert packages(of(function, interpreter, started).modules).isdisjoint({"pydantic", "liquid", "babel", "asyncio"})


@pytest.mark.parametrize("function", sorted(set(functions()) - SENDING))
def test_only_who_sends_mails_imports_liquid_at_its_start(
    function: str, interpreter: Interpreter, started: dict[str, Start]
) -> None:
    assert "liquid" not in packages(of(function, interpreter, started).modules)


@every_function
def test_a_function_runs_with_what_the_layer_holds(
    function: str, interpreter: Interpreter, started: dict[str, Start]
) -> None:
    """The interpreter would have stopped at an import that the layer cannot serve."""
    assert "tidings" in packages(of(function, interpreter, started).modules)
