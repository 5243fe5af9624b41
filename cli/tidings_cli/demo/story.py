"""What happens in the demo: an automation is published, and people use an app that reports through a published SDK."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import tidings_cli
from tidings_cli.client import Client
from tidings_cli.demo.board import Board
from tidings_cli.demo.people import (
    ANSWER,
    AUTOMATION,
    BEGUN,
    BOOKED,
    BOOKING,
    LOOKED,
    MEANING,
    PEOPLE,
    SIGNED_UP,
    TEMPLATES,
    Person,
)
from tidings_cli.errors import CommandFailed
from tidings_cli.files import read_document


def require_sdk() -> None:
    """Raises CommandFailed if the SDK is not installed."""
    try:
        import segment.analytics  # noqa: F401
    except ImportError as error:
        raise CommandFailed(
            "The demo needs segment-analytics-python; install it, in the checkout, with: pip install -e '.[local,demo]'"
        ) from error


def find_examples() -> Path:
    """The folder of examples in the checkout. Raises CommandFailed."""
    examples = Path(tidings_cli.__file__).resolve().parents[2] / "examples"
    if not (examples / "automations" / f"{AUTOMATION}.yaml").is_file():
        raise CommandFailed("The demo needs the checkout's folder examples/, which is not beside this package.")
    return examples


def publish(api: Client, examples: Path) -> None:
    """Apply the templates, say what TAK means, then apply and publish the automations. Raises CommandFailed."""
    for name in TEMPLATES:
        api.put("templates", name, body=read_document(examples / "templates" / f"{name}.yaml", "template"))
    api.put("keywords", MEANING, body={"words": [ANSWER], "meaning": MEANING})
    for name in (AUTOMATION, BOOKING):
        written = read_document(examples / "automations" / f"{name}.yaml", "automation")
        api.put("automations", name, body=written)
        api.post("automations", name, "publish")


def suppress(api: Client, board: Board) -> None:
    """Put on the suppression list who is to be on it before anything happens."""
    for person in PEOPLE:
        if person.suppressed:
            api.put("suppressions", "email", person.address, body={})
            board.add(person, "is put on the suppression list")


class App:
    """An app with people in it. It reports as every app does: a queue, a thread, and calls in batches."""

    def __init__(self, url: str, write_key: str) -> None:
        from segment.analytics.client import Client as Analytics

        # Requests would send even this to a proxy.
        os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
        logging.getLogger("segment").setLevel(logging.CRITICAL)
        self._errors: list[str] = []
        self._analytics = Analytics(
            write_key, host=url, sync_mode=False, on_error=self._failed, max_retries=3, timeout=20
        )

    def first_day(self, board: Board) -> None:
        """Everybody comes: one books, one looks around, the others sign up. Raises CommandFailed if a call is lost."""
        for person in PEOPLE:
            if person.is_visitor:
                self._analytics.track(anonymous_id=person.id, event=LOOKED, properties={"page": "/pricing"})
            elif person.phone:
                self._analytics.identify(person.id, {"phone": person.phone, "firstName": person.name})
                self._analytics.track(person.id, BOOKED, {"when": "w piątek o 17:00"})
            else:
                self._analytics.identify(person.id, {"email": person.address, "firstName": person.name})
                self._sign_up(person)
        self._flush()
        for person in PEOPLE:
            came = "looks at the prices" if person.is_visitor else "signs up"
            board.add(person, "asks for a visit" if person.phone else came)

    def begin(self, board: Board) -> None:
        """Those who begin do, and one call comes a second time, as retries do. Raises CommandFailed."""
        for person in PEOPLE:
            if person.begins:
                self._analytics.track(person.id, BEGUN, {"name": "Website"})
            if person.repeats:
                self._sign_up(person)
        self._flush()
        for person in PEOPLE:
            if person.begins:
                board.add(person, "creates a project")
            if person.repeats:
                board.add(person, "the same call again: counts once")

    def close(self) -> None:
        """Send what is left and end the SDK's thread."""
        self._analytics.shutdown()

    def _sign_up(self, person: Person) -> None:
        self._analytics.track(person.id, SIGNED_UP, {"plan": "team"}, message_id=f"signed-up-{person.id}")

    def _flush(self) -> None:
        self._analytics.flush()
        if self._errors:
            raise CommandFailed(f"The SDK could not report: {self._errors[0]}")

    def _failed(self, error: Exception, items: Any) -> None:
        self._errors.append(str(error))
