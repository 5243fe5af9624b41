"""Text messages as the outbox shows them: plain dictionaries for JSON and for the templates."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tidings_cli.carriers.feedback import Entry
from tidings_cli.carriers.outbox.views import PUBLISHED, event_json
from tidings_cli.carriers.sms.messages import Sms
from tidings_cli.carriers.sms.numbers import Phone
from tidings_cli.carriers.sms.registrations import names
from tidings_cli.carriers.sms.splitting import split

_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")
_GOOD = frozenset({"DELIVERED", "SUCCESSFUL", "READ"})
_UNDER_WAY = frozenset({"PENDING", "QUEUED", "SENT", "FALLEN_BACK_TO_SMS"})


def sms_json(sms: Sms, entries: Sequence[Entry]) -> dict[str, Any]:
    """A text message as the JSON API shows it; `price` and `fee` are in USD for all parts."""
    out = sms.direction == "out"
    return {
        "id": sms.id,
        "at": sms.at,
        "direction": sms.direction,
        "from": sms.ours if out else sms.person,
        "to": sms.person if out else sms.ours,
        "body": sms.body,
        "links": _LINK.findall(sms.body),
        "encoding": sms.encoding,
        "parts": sms.parts,
        "price": sms.price,
        "fee": sms.fee,
        "country": sms.country,
        "message_type": sms.message_type,
        "configuration_set": sms.configuration_set,
        "context": sms.context,
        "time_to_live": sms.lifetime,
        "answers": sms.answers,
        "automatic": sms.automatic,
        "can_be_answered": sms.can_be_answered,
        "status": _status(entries),
        "events": [event_json(entry) for entry in entries],
    }


def bubble(sms: Sms, entries: Sequence[Entry]) -> dict[str, Any]:
    """A text message on the phone: its parts with the links in them, and what is known of it."""
    status = _status(entries)
    return {
        "id": sms.id,
        "at": sms.at,
        "direction": sms.direction,
        "parts": [_pieces(part) for part in _linked(sms.body)],
        "count": sms.parts,
        "encoding": "GSM-7" if sms.encoding == "GSM" else "Unicode",
        "units": "characters" if sms.encoding == "GSM" else "units",
        "price": _money(sms.price),
        "fee": _money(sms.fee),
        "type": sms.message_type.lower(),
        "automatic": sms.automatic,
        "status": status.lower().replace("_", " "),
        "state": "good" if status in _GOOD else "under-way" if status in _UNDER_WAY else "bad",
        "events": [_line(entry) for entry in entries],
    }


def number_json(phone: Phone, channel: str | None, stopped: Sequence[str]) -> dict[str, Any]:
    """A number of ours; `topic` hears what people write to it, `opted_out` are those on its list."""
    return {
        "id": phone.id,
        "number": phone.number,
        "country": phone.country,
        "type": phone.type,
        "pool": phone.pool,
        "two_way": channel is not None,
        "topic": channel,
        "self_managed": phone.self_managed,
        "opt_out_list": phone.opt_outs,
        "opted_out": list(stopped),
    }


def sender_json(record: Mapping[str, Any]) -> dict[str, Any]:
    """A sender ID that the account has in a country."""
    return {
        "sender_id": record["SenderId"],
        "country": record["IsoCountryCode"],
        "registered": record["Registered"],
        "registration": record.get("RegistrationId", ""),
    }


def registration_json(record: Mapping[str, Any]) -> dict[str, Any]:
    """A registration; `sender_ids` are the names it is about, each with its country."""
    version = record["versions"][-1]
    return {
        "id": record["id"],
        "type": record["type"],
        "status": record["status"].lower(),
        "version": len(record["versions"]),
        "reason": version["reason"],
        "sender_ids": names(dict(record)),
        "open": record["status"] in ("SUBMITTED", "REVIEWING", "AWS_REVIEWING"),
    }


def _status(entries: Sequence[Entry]) -> str:
    """The last word: a final event stands, whatever came after it that is not."""
    told = [entry.body for entry in entries if "messageStatus" in entry.body]
    last = next((body for body in reversed(told) if body.get("isFinal")), told[-1] if told else {})
    return str(last.get("messageStatus", "RECEIVED"))


def _line(entry: Entry) -> dict[str, Any]:
    return {
        "key": entry.id,
        "type": entry.type,
        "at": entry.at,
        "detail": entry.body.get("messageStatusDescription", ""),
        "published": PUBLISHED[entry.state],
        "json": json.dumps(entry.body, indent=2, ensure_ascii=False),
    }


def _linked(body: str) -> list[list[tuple[str, str]]]:
    """The parts of a text, each as pieces with where they lead; a link may go on in the next part."""
    spans = [(found.start(), found.end(), found[0]) for found in _LINK.finditer(body)]
    parts, start = [], 0
    for part in split(body):
        end, pieces, at = start + len(part), [], start
        for first, last, leads_to in spans:
            begin, stop = max(first, start), min(last, end)
            if begin < stop:
                pieces += [(body[at:begin], ""), (body[begin:stop], leads_to)]
                at = stop
        parts.append([*pieces, (body[at:end], "")])
        start = end
    return parts


def _pieces(part: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"text": text, "href": href} for text, href in part if text]


def _money(amount: float) -> str:
    """In USD, without zeros that say nothing: 0.03, 0.006."""
    whole, _, rest = f"{amount:.5f}".partition(".")
    return f"{whole}.{rest[:2]}{rest[2:].rstrip('0')}" if amount else ""
