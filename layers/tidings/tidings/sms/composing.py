"""What a phone shows of a rendered text: the way out of marketing, short links, characters of GSM. Pure functions."""

from __future__ import annotations

from tidings.messages.parts import kept_gsm, measure
from tidings.sms.countries import country_of
from tidings.sms.links import hosts_in, shortened
from tidings.sms.model import Origin, Setup, SmsOrder, Text
from tidings.sms.ordering import is_gsm7

# What stands before a way out that we add: a word that people know from answering it.
WAY_OUT = "STOP: "


def composed(order: SmsOrder, rendered: str, link: str, origin: Origin) -> Text:
    """A text as it leaves from a sender, whatever its length.

    White space at its ends is left out: every character is paid for. Where there is a `link` out of marketing and the
    sender receives no STOP, the text gets the link at its end, unless it has it.
    """
    body = rendered.strip()
    if link and not origin.receives and link not in body:
        body = f"{body}\n{WAY_OUT}{link}".lstrip()
    hosts = _hosts_of(order) | hosts_in(link)
    body, links = shortened(body, order.message_id, order.workspace, Setup.of(order.workspace).short_url, hosts)
    if is_gsm7(order):
        body = kept_gsm(body)
    length = measure(body)
    country = country_of(order.contact.phone)
    return Text(origin, country, body, length.encoding, length.parts, length.units, links)


def _hosts_of(order: SmsOrder) -> frozenset[str]:
    """Where short links may lead: to hosts that the template names, or whoever ordered the message.

    Not to what stands in an event, a trait or a text that came in alone: anybody may have said that.
    """
    content = order.template.content if order.template else None
    written = [content.text, content.variables] if content else []
    return hosts_in([*written, order.variables if order.given else {}])
