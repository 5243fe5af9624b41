"""The outbox's pages: mails, one mail, text messages, and the state of the local account."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from tidings.core.errors import NotFound, TidingsError
from tidings_cli.carriers.outbox import render, views
from tidings_cli.carriers.outbox.desk import Desk
from tidings_cli.carriers.outbox.render import Renderer
from tidings_cli.carriers.ses import mime
from tidings_cli.carriers.ses.mails import Mail
from tidings_cli.carriers.sms.messages import Sms
from tidings_cli.carriers.web import Handler, Request, Response

LIST_LENGTH = 200
_SOURCE_SHOWN = 200_000  # characters
_FILTERS = (
    ("", "All"),
    ("Delivery", "Delivered"),
    ("Open", "Opened"),
    ("Click", "Clicked"),
    ("Bounce", "Bounced"),
    ("Complaint", "Complained"),
)
_BOUNCES = (
    ("Permanent/General", "Unknown user"),
    ("Permanent/NoEmail", "No such address"),
    ("Transient/MailboxFull", "Mailbox full"),
    ("Transient/General", "Temporary trouble"),
    ("Transient/MessageTooLarge", "Message too large"),
    ("Transient/ContentRejected", "Content refused"),
    ("Transient/AttachmentRejected", "Attachment refused"),
    ("Undetermined/Undetermined", "No reason given"),
)
_SIMULATOR = (
    ("success@simulator.amazonses.com", "is delivered"),
    ("bounce@simulator.amazonses.com", "bounces for good"),
    ("complaint@simulator.amazonses.com", "is delivered, then marked as spam"),
    ("ooto@simulator.amazonses.com", "is delivered and answered by an absent person"),
    ("suppressionlist@simulator.amazonses.com", "bounces: SES suppresses it"),
)
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
_START = re.compile(r"\s*(<!doctype[^>]*>)?\s*(<html\b[^>]*>)?", re.IGNORECASE)


class Pages:
    """The handlers of the pages. A page asked for with the revision it shows answers 204 while nothing changed."""

    def __init__(self, desk: Desk) -> None:
        self._database = desk.database
        self._mails = desk.mails
        self._texts = desk.texts
        self._log = desk.log
        self._account = desk.account
        self._faults = desk.faults
        self._recipient = desk.recipient
        self._public_url = desk.public_url.rstrip("/")
        self._renderer = Renderer()
        self._boot = secrets.token_hex(4)

    def routes(self) -> list[tuple[str, str, Handler]]:
        """Method, path and handler of every page."""
        return [
            ("GET", "/", self._list),
            ("GET", "/mails/{mail}", self._show),
            ("GET", "/mails/{mail}/body", self._body),
            ("GET", "/mails/{mail}/source.eml", self._source),
            ("GET", "/mails/{mail}/parts/{number}", self._part),
            ("POST", "/mails/{mail}/complain", self._complain),
            ("POST", "/mails/{mail}/bounce", self._bounce),
            ("POST", "/empty", self._empty),
            ("GET", "/sms", self._threads),
            ("GET", "/sms/{person}/{ours}", self._thread),
            ("POST", "/sms/{sms}/reply", self._reply),
            ("GET", "/account", self._account_page),
            ("POST", "/account/release", self._release),
            ("POST", "/account/clear-faults", self._clear_faults),
            ("GET", "/static/{name}", self._static),
        ]

    def failed(self, error: TidingsError) -> Response:
        """A page that says what went wrong."""
        return self._renderer.page("failed", error.status, **self._frame("mail"), message=error.message)

    def _list(self, request: Request) -> Response:
        return self._page(request, "mails", "mail", lambda: self._list_values(request))

    def _show(self, request: Request, mail: str) -> Response:
        found = self._mail(mail)
        return self._page(
            request, "mail", "mail", lambda: self._list_values(request, found.id) | self._mail_values(found)
        )

    def _page(self, request: Request, name: str, tab: str, values: Callable[[], dict[str, Any]]) -> Response:
        if request.headers.get("x-seen-revision") == self._revision():
            return Response(204)
        # Read first: what changes while the page is put together then shows up at the next look.
        frame = self._frame(tab)
        return self._renderer.page(name, **frame, **values())

    def _frame(self, tab: str) -> dict[str, Any]:
        return {"tab": tab, "revision": self._revision(), "public_url": self._public_url}

    def _revision(self) -> str:
        return f"{self._boot}-{self._database.revision}"

    def _list_values(self, request: Request, current: str = "") -> dict[str, Any]:
        words, event = request.one("q"), request.one("event")
        found = self._mails.find(words=words, event=event, limit=LIST_LENGTH)
        entries = self._log.of([mail.id for mail in found])
        asked = {name: value for name, value in (("q", words), ("event", event)) if value}
        return {
            "rows": [views.row(mail, entries[mail.id]) for mail in found],
            "total": self._mails.count(),
            "current": current,
            "words": words,
            "event": event,
            "query": f"?{urlencode(asked)}" if asked else "",
            "filters": [
                {
                    "name": name,
                    "label": label,
                    "href": "?" + urlencode({k: v for k, v in (("q", words), ("event", name)) if v}),
                }
                for name, label in _FILTERS
            ],
            "simulator": [{"address": address, "what": what} for address, what in _SIMULATOR],
        }

    def _mail_values(self, mail: Mail) -> dict[str, Any]:
        raw = (self._mails.raw(mail.id) or b"").decode("utf-8", "replace")
        entries = self._log.of([mail.id])[mail.id]
        person = mail.recipients[0] if mail.recipients else ""
        return {
            "mail": vars(mail),
            "mail_from": views.header(mail, "From") or mail.source,
            "mail_to": ", ".join(mail.recipients),
            "face": views.face(person),
            "states": views.states(entries),
            "events": [views.event_line(entry) for entry in entries],
            "headers": [{"name": name, "value": value} for name, value in mail.headers],
            "tags": [{"name": name, "value": ", ".join(values)} for name, values in mail.tags.items()],
            "attachments": [part | {"shown_size": views.size(part["size"])} for part in mail.attachments],
            "source": raw[:_SOURCE_SHOWN],
            "cut": len(raw) > _SOURCE_SHOWN,
            "size": views.size(mail.size),
            "sandbox": render.MAIL_SANDBOX,
            "bounces": [{"kind": kind, "label": label} for kind, label in _BOUNCES],
            "arrived": self._recipient.has(mail.id),
        }

    def _mail(self, mail_id: str) -> Mail:
        found = self._mails.get(mail_id)
        if found is None:
            raise NotFound("unknown_mail", "This mail is not in the outbox any more.")
        return found

    def _body(self, request: Request, mail: str) -> Response:
        found = self._mail(mail)
        return render.mail_body(_framed(found))

    def _source(self, request: Request, mail: str) -> Response:
        return render.download(self._mails.raw(self._mail(mail).id) or b"", "message/rfc822", f"{mail}.eml")

    def _part(self, request: Request, mail: str, number: str) -> Response:
        message = mime.parse(self._mails.raw(self._mail(mail).id) or b"")
        for part in mime.parts_of(message):
            if str(part.number) == number:
                return render.download(part.content, part.content_type, part.name, inline=bool(part.content_id))
        raise NotFound("unknown_part", "This mail has no such part.")

    def _complain(self, request: Request, mail: str) -> Response:
        self._recipient.complain(mail)
        return _back(f"/outbox/mails/{mail}")

    def _bounce(self, request: Request, mail: str) -> Response:
        kind, _, subtype = request.form().get("kind", "Permanent/General").partition("/")
        self._recipient.bounce(mail, kind, subtype)
        return _back(f"/outbox/mails/{mail}")

    def _empty(self, request: Request) -> Response:
        self._mails.empty()
        return _back("/outbox")

    def _threads(self, request: Request) -> Response:
        return self._page(request, "sms", "sms", self._thread_values)

    def _thread(self, request: Request, person: str, ours: str) -> Response:
        if not self._texts.find(person, ours):
            raise NotFound("unknown_thread", "There is no conversation with this phone.")
        return self._page(request, "sms", "sms", lambda: self._thread_values(person, ours))

    def _thread_values(self, person: str = "", ours: str = "") -> dict[str, Any]:
        everything = self._texts.find()
        threads: dict[tuple[str, str], Sms] = {}
        for sms in everything:
            threads.pop((sms.person, sms.ours), None)
            threads[sms.person, sms.ours] = sms
        shown = [sms for sms in everything if (sms.person, sms.ours) == (person, ours)]
        return {
            "threads": [_thread_row(sms, person, ours) for sms in reversed(threads.values())],
            "person": person,
            "ours": ours,
            "bubbles": self._bubbles(shown),
            "last": shown[-1].id if shown else "",
            "can_be_answered": bool(shown) and shown[-1].can_be_answered,
        }

    def _bubbles(self, shown: Sequence[Sms]) -> list[dict[str, Any]]:
        entries = self._log.of([sms.id for sms in shown])
        return [views.sms_json(sms, entries[sms.id]) for sms in shown]

    def _reply(self, request: Request, sms: str) -> Response:
        answer = self._texts.reply(sms, request.form().get("body", ""))
        return _back(f"/outbox/sms/{quote(answer.person)}/{quote(answer.ours)}")

    def _account_page(self, request: Request) -> Response:
        return self._page(request, "account", "account", self._account_values)

    def _account_values(self) -> dict[str, Any]:
        return {
            "suppressions": [vars(entry) for entry in self._account.suppressions()],
            "faults": [fault.as_dict() for fault in self._faults.waiting()],
            "simulator": [{"address": address, "what": what} for address, what in _SIMULATOR],
        }

    def _release(self, request: Request) -> Response:
        self._account.release(request.form().get("address", ""))
        return _back("/outbox/account")

    def _clear_faults(self, request: Request) -> Response:
        self._faults.clear()
        return _back("/outbox/account")

    def _static(self, request: Request, name: str) -> Response:
        found = render.static(name)
        if found is None:
            raise NotFound("unknown_file", "The outbox has no such file.")
        return found


def _thread_row(sms: Sms, person: str, ours: str) -> dict[str, Any]:
    return {
        "person": sms.person,
        "ours": sms.ours,
        "at": sms.at,
        "snippet": sms.body[:100],
        "out": sms.direction == "out",
        "href": f"/outbox/sms/{quote(sms.person)}/{quote(sms.ours)}",
        "current": (sms.person, sms.ours) == (person, ours),
        "hue": views.face(sms.person)["hue"],
    }


def _framed(mail: Mail) -> str:
    """A mail's HTML for the frame: links open a new tab, embedded pictures come from the mail itself."""
    html = mail.html or ""
    for part in mail.attachments:
        if part["content_id"]:
            html = html.replace(f"cid:{part['content_id']}", f"/outbox/mails/{mail.id}/parts/{part['part']}")
    base = '<base target="_blank">'
    start = _HEAD.search(html) or _START.match(html)
    end = start.end() if start else 0  # never before a doctype, which would change how the mail looks
    return html[:end] + base + html[end:]


def _back(path: str) -> Response:
    """See what came of a form."""
    return Response(303, headers={"Location": path})
