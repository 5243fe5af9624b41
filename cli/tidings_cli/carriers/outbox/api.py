"""The outbox's JSON API, under `/outbox/api`: for tests, the demo and other programs.

Errors are `{"code", "message", "field"?}` with the status of `tidings.core.errors`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tidings.core.clock import from_text
from tidings.core.errors import InvalidInput, NotFound
from tidings_cli.carriers.faults import ONLY_TEXTS, Channel, SendFault
from tidings_cli.carriers.outbox import views
from tidings_cli.carriers.outbox.desk import Desk
from tidings_cli.carriers.outbox.sms_api import telling
from tidings_cli.carriers.ses.account import STATUSES
from tidings_cli.carriers.ses.answering import Said, read_files
from tidings_cli.carriers.ses.mails import Mail, milliseconds
from tidings_cli.carriers.ses.recipient import Device
from tidings_cli.carriers.web import Handler, Request, Response, json_response


class OutboxApi:
    """The handlers of the JSON API."""

    def __init__(self, desk: Desk) -> None:
        self._mails = desk.mails
        self._log = desk.log
        self._account = desk.account
        self._faults = {Channel.EMAIL: desk.faults, Channel.SMS: desk.texts.faults}
        self._rate = desk.rate
        self._recipient = desk.recipient
        self._answering = desk.answering
        self._base = f"{desk.public_url.rstrip('/')}/outbox"

    def routes(self) -> list[tuple[str, str, Handler]]:
        """Method, path and handler of every call."""
        return [
            ("GET", "/api/mails", self._list_mails),
            ("DELETE", "/api/mails", self._empty_mails),
            ("GET", "/api/mails/{mail}", self._get_mail),
            ("POST", "/api/mails/{mail}/open", self._open),
            ("POST", "/api/mails/{mail}/click", self._click),
            ("POST", "/api/mails/{mail}/complain", self._complain),
            ("POST", "/api/mails/{mail}/bounce", self._bounce),
            ("POST", "/api/mails/{mail}/answer", self._answer),
            ("GET", "/api/faults", self._list_faults),
            ("POST", "/api/faults", self._order_fault),
            ("DELETE", "/api/faults", self._clear_faults),
            ("GET", "/api/rate", self._get_rate),
            ("PUT", "/api/rate", self._set_rate),
            ("GET", "/api/suppressions", self._list_suppressions),
            ("DELETE", "/api/suppressions/{address}", self._release),
            ("GET", "/api/identities", self._list_identities),
            ("PUT", "/api/identities/{name}", self._set_identity),
        ]

    def _list_mails(self, request: Request) -> Response:
        """Mails, oldest first: `to` is a whole address, `since` ISO 8601, `q` words, `event` an SES event type."""
        limit = request.one("limit", "0")
        if not limit.isdigit():
            raise InvalidInput("invalid_limit", "limit must be a number", "limit")
        found = self._mails.find(
            request.one("to"), _since(request.one("since")), request.one("q"), request.one("event"), int(limit)
        )
        return json_response(self._shown(found[::-1]))

    def _empty_mails(self, request: Request) -> Response:
        return json_response({"deleted": self._mails.empty()})

    def _get_mail(self, request: Request, mail: str) -> Response:
        return json_response(self._one(mail))

    def _open(self, request: Request, mail: str) -> Response:
        self._recipient.open(mail, device(request))
        return json_response(self._one(mail))

    def _click(self, request: Request, mail: str) -> Response:
        """Follow the link that leads to `url`, or the first one; answers where it leads."""
        url = request.json().get("url")
        link = self._recipient.click_url(mail, str(url) if url is not None else None, device(request))
        return json_response({"url": link.url, "tags": link.tags})

    def _complain(self, request: Request, mail: str) -> Response:
        self._recipient.complain(mail)
        return json_response(self._one(mail))

    def _bounce(self, request: Request, mail: str) -> Response:
        """Bounce now: `type` and `subType` as SES names them, Permanent and General when left out."""
        body = request.json()
        self._recipient.bounce(mail, str(body.get("type") or "Permanent"), str(body.get("subType") or "General"))
        return json_response(self._one(mail))

    def _answer(self, request: Request, mail: str) -> Response:
        """Answer in the recipient's place, or that of `from`, with `text`, `html`, `subject` and `attachments`.

        SNS hears it `copies` times (1), after `delay` seconds (0).
        """
        body = request.json()
        words = {name: str(body.get(key) or "") for name, key in _WORDS.items()}
        copies, delay = telling(body)
        said = Said(**words, files=read_files(body.get("attachments")), copies=copies, delay=delay)
        self._answering.answer(mail, said)
        return json_response(self._one(mail), 201)

    def _list_faults(self, request: Request) -> Response:
        return json_response(self._waiting())

    def _order_fault(self, request: Request) -> Response:
        """Let the next `count` sends of `channel` (to `to`) fail as `send` says.

        `seconds` holds a lost answer back for so long, or the events of a text message.
        """
        body = request.json()
        kind, count, seconds = body.get("send"), body.get("count", 1), body.get("seconds", 0)
        if kind not in set(SendFault):
            raise InvalidInput("unknown_fault", f"send must be one of {', '.join(SendFault)}", "send")
        channel = body.get("channel", Channel.EMAIL)
        if channel not in set(Channel) or (channel == Channel.EMAIL and kind in ONLY_TEXTS):
            raise InvalidInput(
                "invalid_channel", f"channel must be {'sms' if kind in ONLY_TEXTS else ' or '.join(Channel)}", "channel"
            )
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise InvalidInput("invalid_count", "count must be a number from 1 up", "count")
        if not isinstance(seconds, int | float) or not 0 <= seconds <= 300:
            raise InvalidInput("invalid_seconds", "seconds must be between 0 and 300", "seconds")
        self._faults[Channel(channel)].order(SendFault(kind), count, body.get("to"), float(seconds))
        return json_response(self._waiting(), 201)

    def _clear_faults(self, request: Request) -> Response:
        for faults in self._faults.values():
            faults.clear()
        return json_response([])

    def _waiting(self) -> list[dict[str, object]]:
        ordered = [(channel, fault) for channel, faults in self._faults.items() for fault in faults.waiting()]
        return [fault.as_dict() | {"channel": channel.value} for channel, fault in ordered]

    def _get_rate(self, request: Request) -> Response:
        return json_response({"per_second": self._rate.limit()})

    def _set_rate(self, request: Request) -> Response:
        """Let SES take at most `per_second` mails a second, and refuse those beyond; null for any number."""
        wanted = request.json().get("per_second")
        if wanted is not None and (not isinstance(wanted, int) or isinstance(wanted, bool) or wanted < 1):
            raise InvalidInput("invalid_rate", "per_second must be a number from 1 up, or null", "per_second")
        self._rate.set_limit(wanted)
        return json_response({"per_second": wanted})

    def _list_suppressions(self, request: Request) -> Response:
        return json_response([vars(entry) for entry in self._account.suppressions()])

    def _release(self, request: Request, address: str) -> Response:
        self._account.release(address)
        return json_response([vars(entry) for entry in self._account.suppressions()])

    def _list_identities(self, request: Request) -> Response:
        return json_response([{"identity": name, "verified": good} for name, good in self._account.identities()])

    def _set_identity(self, request: Request, name: str) -> Response:
        """List an address or domain as `verified` or not; SES refuses mail from one that is not.

        `status` says which way instead: success, pending, failed or temporary_failure.
        """
        body = request.json()
        verified, status = body.get("verified"), body.get("status")
        if status is None and not isinstance(verified, bool):
            raise InvalidInput("invalid_verified", "verified must be true or false", "verified")
        if status is not None and str(status).upper() not in STATUSES:
            told = f"status must be one of {', '.join(STATUSES).lower()}"
            raise InvalidInput("invalid_status", told, "status")
        word = str(status).upper() if status is not None else "SUCCESS" if verified else "PENDING"
        self._account.set_status(name, word)
        return json_response({"identity": name, "verified": word == "SUCCESS", "status": word.lower()})

    def _one(self, mail_id: str) -> dict[str, Any]:
        found = self._mails.get(mail_id)
        if found is None:
            raise NotFound("unknown_mail", f"The outbox has no mail {mail_id}")
        return self._shown([found])[0]

    def _shown(self, mails: Sequence[Mail]) -> list[dict[str, Any]]:
        entries = self._log.of([mail.id for mail in mails])
        return [views.mail_json(mail, self._mails.links(mail.id), entries[mail.id], self._base) for mail in mails]


# What a person may say, by the names of the call.
_WORDS = {"text": "text", "html": "html", "subject": "subject", "sender": "from"}


def device(request: Request) -> Device:
    """What the caller reads mail with."""
    return Device(request.remote, request.headers.get("user-agent", ""))


def _since(text: str) -> str:
    try:
        return milliseconds(from_text(text)) if text else ""
    except ValueError:
        raise InvalidInput("invalid_since", f"since must be ISO 8601, not {text}", "since") from None
