"""What a short link answers: where it leads, at once. A GET counts, and counting never stands in the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from tidings.accounts.cache import WorkspaceCache
from tidings.core.clock import Clock
from tidings.core.errors import NotFound, TidingsError
from tidings.core.http import Answer, Request
from tidings.core.ids import new_id
from tidings.core.logs import count, logger
from tidings.sms.clicks import CLICK, Click
from tidings.sms.link_store import DynamoShortLinkStore, ShortLink
from tidings.sms.links import host_of, read_code

NOT_KEPT = "ClicksNotKept"
AGENT_CHARACTERS = 512
_QUIET = {"cache-control": "no-store", "referrer-policy": "no-referrer", "x-robots-tag": "noindex, nofollow"}
# What a browser sends that fetches a page before anybody asks for it.
_AHEAD = ("sec-purpose", "purpose", "x-purpose", "x-moz")


class Queue(Protocol):
    """Where clicks are put that are to be counted."""

    def put(self, body: Mapping[str, Any], delay: int = 0) -> None: ...


class LinkDesk:
    """Sends whoever follows a short link on to where it leads."""

    def __init__(self, links: DynamoShortLinkStore, workspaces: WorkspaceCache, queue: Queue, clock: Clock) -> None:
        self._links = links
        self._workspaces = workspaces
        self._queue = queue
        self._clock = clock

    def answer(self, request: Request) -> Answer:
        """A redirect to exactly the address that stood in the message, or a page that says there is none.

        At the host of somebody else a code is none: nobody's domain leads where another workspace chose.
        """
        now = self._clock.now()
        code = read_code(request.path["code"])
        link = self._links.get(code, now) if code else None
        if link is None or not _is_at_home(link, request):
            return self._lost(request.method)
        if link.expired:
            return self._expired(request.method, link)
        if request.method == "GET" and not link.way_out and not _is_ahead(request):
            self._keep(link, request)
        return {"statusCode": 302, "headers": {"location": link.address, **_QUIET}}

    def refusal(self, error: TidingsError, method: str) -> Answer:
        """The page that says why nothing could be looked up."""
        from tidings.messages import pages

        if isinstance(error, NotFound):
            return self._lost(method)
        busy = pages.notice_page(None, "Please try again", "Something went wrong on our side.")
        return _shown(method, busy, error.status)

    def _keep(self, link: ShortLink, request: Request) -> None:
        """Put the click into the queue from which it is counted; where that cannot be, the person goes on all the same.

        The queue's client tries three times. What it then did not take is lost, and an alarm tells how often.
        """
        told = request.event.get("requestContext", {})
        now = self._clock.now()
        click = Click(
            id=str(told.get("requestId") or "") or new_id(),
            workspace=link.workspace,
            message=link.message,
            address=link.address,
            at=now - request.waited(now),
            ip=request.source_ip,
            agent=request.headers.get("user-agent", "")[:AGENT_CHARACTERS],
        )
        try:
            self._queue.put({CLICK: click.as_dict()})
        except TidingsError as error:
            logger.error("click not kept", extra={"code": error.code, "workspace": link.workspace})
            count(NOT_KEPT, 1)

    def _expired(self, method: str, link: ShortLink) -> Answer:
        from tidings.messages import pages
        from tidings.messages.unsubscribe import Brand

        brand = Brand.of(self._workspaces.get(link.workspace))
        text = "It was valid for a year after the message in which it stood."
        return _shown(method, pages.notice_page(brand, "This link is not valid any more", text), 404)

    def _lost(self, method: str) -> Answer:
        from tidings.messages import pages  # late: a link that leads somewhere needs no page

        return _shown(method, pages.not_found_page(), 404)


def _is_at_home(link: ShortLink, request: Request) -> bool:
    """Whether the link was asked for at a host where it was handed out, as far as both are known."""
    asked = _hosts_asked(request)
    return not asked or not link.hosts or not asked.isdisjoint(link.hosts)


def _hosts_asked(request: Request) -> frozenset[str]:
    """The hosts by which a request came, in lower case: the domain of the API, and what a proxy before it says.

    The API's own address (`ID.execute-api.…`) is nobody's domain: all proxies ask there, and whoever has no domain.
    """
    told = request.event.get("requestContext", {})
    domain = str(told.get("domainName") or "").lower()
    if domain.startswith(f"{str(told.get('apiId')).lower()}.execute-api."):
        domain = ""
    # Proxies in a row: the first is the one that was asked.
    proxies = (said.strip() for said in request.headers.get("x-forwarded-host", "").split(","))
    proxied = host_of(f"//{next(filter(None, proxies), '')}")
    return frozenset({domain.rstrip("."), proxied.rstrip(".")}) - {""}


def _is_ahead(request: Request) -> bool:
    told = " ".join(request.headers.get(name, "") for name in _AHEAD).lower()
    return "prefetch" in told or "preview" in told or "prerender" in told


def _shown(method: str, page: tuple[str, dict[str, str]], status: int) -> Answer:
    html, headers = page
    return {"statusCode": status, "headers": headers, "body": "" if method == "HEAD" else html}
