"""The outbox's pages: mails, one mail, and the state of the local account."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from tidings.core.errors import NotFound
from tidings_cli.carriers.outbox import render, sms_views, views
from tidings_cli.carriers.outbox.desk import Desk
from tidings_cli.carriers.outbox.frame import Frame, back
from tidings_cli.carriers.ses import mime
from tidings_cli.carriers.ses.answering import ANSWER, File, Said
from tidings_cli.carriers.ses.mails import Mail
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
    """The handlers of these pages."""

    def __init__(self, desk: Desk, frame: Frame) -> None:
        self._frame = frame
        self._mails = desk.mails
        self._log = desk.log
        self._texts = desk.texts
        self._account = desk.account
        self._faults = (desk.faults, desk.texts.faults)
        self._recipient = desk.recipient
        self._answering = desk.answering

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
            ("POST", "/mails/{mail}/answer", self._answer),
            ("POST", "/empty", self._empty),
            ("GET", "/account", self._account_page),
            ("POST", "/account/release", self._release),
            ("POST", "/account/clear-faults", self._clear_faults),
            ("POST", "/account/numbers/{number}", self._switch_number),
            ("POST", "/account/registrations", self._file),
            ("POST", "/account/registrations/{registration}", self._decide),
            ("GET", "/static/{name}", self._static),
        ]

    def _list(self, request: Request) -> Response:
        return self._frame.page(request, "mails", "mail", lambda: self._list_values(request))

    def _show(self, request: Request, mail: str) -> Response:
        found = self._mail(mail)
        return self._frame.page(
            request, "mail", "mail", lambda: self._list_values(request, found.id) | self._mail_values(found)
        )

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
            "person": person,
            "answer_to": ", ".join(mail.reply_to) or mail.source,
            "answers": sum(entry.type == ANSWER for entry in entries),
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
        return back(f"/outbox/mails/{mail}")

    def _bounce(self, request: Request, mail: str) -> Response:
        kind, _, subtype = request.form().get("kind", "Permanent/General").partition("/")
        self._recipient.bounce(mail, kind, subtype)
        return back(f"/outbox/mails/{mail}")

    def _answer(self, request: Request, mail: str) -> Response:
        fields, files = request.parts()
        told = [File(name, kind, content) for name, kind, content in files]
        self._answering.answer(mail, Said(fields.get("text", ""), sender=fields.get("from", ""), files=told))
        return back(f"/outbox/mails/{mail}")

    def _empty(self, request: Request) -> Response:
        self._mails.empty()
        return back("/outbox")

    def _account_page(self, request: Request) -> Response:
        return self._frame.page(request, "account", "account", self._account_values)

    def _account_values(self) -> dict[str, Any]:
        return {
            "suppressions": [vars(entry) for entry in self._account.suppressions()],
            "faults": [fault.as_dict() for faults in self._faults for fault in faults.waiting()],
            "simulator": [{"address": address, "what": what} for address, what in _SIMULATOR],
            "numbers": self._numbers(),
            "senders": [sms_views.sender_json(one) for one in self._texts.senders.all()],
            "registrations": [sms_views.registration_json(one) for one in self._texts.registrations.all()],
        }

    def _numbers(self) -> list[dict[str, Any]]:
        numbers, stopped = self._texts.numbers, self._texts.opt_outs
        return [
            sms_views.number_json(
                phone, numbers.channel(phone), [one["OptedOutNumber"] for one in stopped.all(phone.opt_outs)]
            )
            for phone in numbers.all()
        ]

    def _release(self, request: Request) -> Response:
        self._account.release(request.form().get("address", ""))
        return back("/outbox/account")

    def _clear_faults(self, request: Request) -> Response:
        for faults in self._faults:
            faults.clear()
        return back("/outbox/account")

    def _switch_number(self, request: Request, number: str) -> Response:
        switch, _, wanted = request.form().get("switch", "").partition(":")
        if switch in ("self_managed", "two_way"):
            self._texts.numbers.change(self._texts.numbers.need(number), **{switch: wanted == "on"})
        return back("/outbox/account")

    def _file(self, request: Request) -> Response:
        form = request.form()
        self._texts.registrations.file(form.get("sender_id", "").strip(), form.get("country", "").strip().upper())
        return back("/outbox/account")

    def _decide(self, request: Request, registration: str) -> Response:
        form = request.form()
        complete = form.get("decision") == "complete"
        self._texts.registrations.decide(registration, complete, form.get("reason", ""))
        return back("/outbox/account")

    def _static(self, request: Request, name: str) -> Response:
        found = render.static(name)
        if found is None:
            raise NotFound("unknown_file", "The outbox has no such file.")
        return found


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
