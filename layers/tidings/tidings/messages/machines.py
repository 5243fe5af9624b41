"""Whether a person opened a message or followed a link, or a machine did: a score with its reasons.

Filters of companies fetch the pictures of a mail and follow its links before anybody sees it. No single sign is sure,
so signs add up; from `THRESHOLD` on it was a machine. Signs that decide by themselves are worth that much.

Proxies that fetch pictures when a person looks (Google's, Yahoo's) stand for that person. Apple's fetches them when a
mail arrives, whether or not anybody looks: its opens tell nothing about a person, and count as a machine's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

THRESHOLD = 100

FAST, VERY_FAST = timedelta(seconds=10), timedelta(seconds=2)
TOGETHER = timedelta(seconds=10)  # within this time clicks from one address belong together
AT_ONCE = timedelta(seconds=5)  # nobody follows three links in this time, one page after the other
PAIR = timedelta(seconds=1)
# So long after its delivery filters look at a mail: a click within is judged once its companions are known.
EARLY = timedelta(minutes=2)
PUT_OFF_SECONDS = 20

HIDDEN = "hidden"

_SCANNERS = re.compile(
    r"barracuda|mimecast|proofpoint|ironport|messagelabs|symantec|fortimail|fortiguard|trendmicro|trend micro|sophos"
    r"|zscaler|cloudmark|hornetsecurity|vade|forcepoint|fireeye|trellix|mcafee|bitdefender|kaspersky|cyren|urlscan"
    r"|virustotal|phishtank|safe-?browsing|link.?check|url.?(?:check|scan)|scanner|prefetch|headlesschrome"
    r"|phantomjs|slackbot|facebookexternalhit|whatsapp|telegrambot|discordbot|twitterbot|linkedinbot|skypeuripreview"
    r"|\b\w*(?<!\bcu)bot\b|crawler|spider",
    re.IGNORECASE,
)
_LIBRARIES = re.compile(
    r"^(?:curl|wget|python-requests|aiohttp|python-httpx|go-http-client|java|okhttp|libwww-perl|apache-httpclient"
    r"|node-fetch|undici|axios|ruby|guzzlehttp|php|lua-resty-http|winhttp)\b",
    re.IGNORECASE,
)
_PROXIES = re.compile(r"googleimageproxy|yahoomailproxy|yahoocachesystem", re.IGNORECASE)
_APPLE = "Mozilla/5.0"  # nothing else, as Mail Privacy Protection says it

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """What is noted of a click until it is judged: when, from which IP address, and a short hash of the link.

    The link is `hidden` where it is the one that no person sees.
    """

    at: datetime
    ip: str
    link: str


@dataclass(frozen=True, slots=True)
class Look:
    """An open, or a click, of which `link` is a short hash, or `hidden`; empty for an open."""

    at: datetime
    ip: str
    agent: str
    link: str = ""

    @property
    def mark(self) -> Mark:
        """The click as its companions see it."""
        return Mark(self.at, self.ip, self.link)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a machine did it, by how much, and by which signs."""

    score: int
    reasons: tuple[str, ...] = ()

    @property
    def machine(self) -> bool:
        """Whether the signs suffice."""
        return self.score >= THRESHOLD

    def as_dict(self) -> dict[str, object]:
        """The verdict as it stands on the timeline."""
        return {"machine": self.machine, "score": self.score, "reasons": list(self.reasons)}


def judge(
    look: Look,
    delivered_at: datetime | None,
    companions: Iterable[Mark] = (),
    ranges: Sequence[Network] = (),
) -> Verdict:
    """Who opened or clicked. `delivered_at` is None where nobody knows; `ranges` are the workspace's."""
    found = [
        *_by_agent(look),
        *_by_range(look.ip, ranges),
        *_by_time(look.at, delivered_at),
        *(_by_company(look, companions) if look.link else ()),
    ]
    return Verdict(sum(points for _, points in found), tuple(reason for reason, _ in found))


def is_early(look: Look, delivered_at: datetime | None) -> bool:
    """Whether it is a click from the time in which filters look at a mail: those tell of each other.

    One that comes before its mail is known to be delivered came early too.
    """
    return bool(look.link) and (delivered_at is None or look.at - delivered_at <= EARLY)


def waits(look: Look, delivered_at: datetime | None, verdict: Verdict) -> bool:
    """Whether a click is to be judged later, when those that came with it are known."""
    return is_early(look, delivered_at) and not verdict.machine


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """IP addresses and ranges as they are compared. Raises ValueError for what is none."""
    return tuple(ip_network(text, strict=False) for text in texts)


def _by_agent(look: Look) -> list[tuple[str, int]]:
    agent = look.agent.strip()
    if _PROXIES.search(agent):
        return []
    if agent == _APPLE and not look.link:
        return [("apple_prefetch", THRESHOLD)]
    if _SCANNERS.search(agent):
        return [("scanner_agent", THRESHOLD)]
    if _LIBRARIES.search(agent):
        return [("library_agent", THRESHOLD)]
    return [] if "(" in agent else [("bare_agent", 30)]


def _by_range(ip: str, ranges: Sequence[Network]) -> list[tuple[str, int]]:
    address = _address(ip)
    if address is None:
        return []
    own = [("workspace_range", THRESHOLD)] if any(address in network for network in ranges) else []
    published = [("scanner_range", THRESHOLD)] if any(address in network for network in _published()) else []
    return own + published


def _by_time(at: datetime, delivered_at: datetime | None) -> list[tuple[str, int]]:
    if delivered_at is None or at - delivered_at > FAST:
        return []
    return [("very_fast", 40)] if at - delivered_at <= VERY_FAST else [("fast", 20)]


def _by_company(look: Look, companions: Iterable[Mark]) -> list[tuple[str, int]]:
    """Signs in the clicks that came from the same address at about the same time, this one among them."""
    if look.link == HIDDEN:
        return [("hidden_link", THRESHOLD)]
    around = [m for m in {look.mark, *companions} if m.ip == look.ip and abs(m.at - look.at) <= TOGETHER]
    if any(mark.link == HIDDEN for mark in around):
        return [("with_hidden_link", THRESHOLD)]
    near = {mark.link for mark in around if abs(mark.at - look.at) <= AT_ONCE}
    if len(near) >= 3:
        return [("all_links_at_once", THRESHOLD)]
    pair = {mark.link for mark in around if abs(mark.at - look.at) <= PAIR}
    return [("two_links_at_once", 80)] if len(pair) == 2 else []


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


@cache
def _published() -> tuple[Network, ...]:
    told: Mapping[str, Mapping[str, list[str]]] = json.loads((files(__package__) / "scanners.json").read_text())
    return networks(text for ranges in told["ranges"].values() for text in ranges)
