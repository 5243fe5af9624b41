"""What each address that stands in a mail answers: RFC 8058's POST acts at once, GET and HEAD only show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidings.accounts.cache import WorkspaceCache
from tidings.accounts.model import Workspace
from tidings.core.errors import Conflict, NotFound, Throttled, TidingsError
from tidings.core.http import Answer, Request
from tidings.messages.posted import Fields, action_of, fields_in
from tidings.messages.preferences import ONE_CLICK, PAGE, PreferenceService, admit
from tidings.messages.unsubscribe import CONFIRM, HIDDEN, PURPOSE, Brand, Ticket

LATE = "This link is not valid any more"
_QUIET = {"cache-control": "no-store", "referrer-policy": "no-referrer", "x-robots-tag": "noindex"}


class PageDesk:
    """Answers who follows a link of a mail, and who presses a button behind it."""

    def __init__(self, workspaces: WorkspaceCache, preferences: PreferenceService) -> None:
        self._workspaces = workspaces
        self._preferences = preferences

    def answer(self, request: Request) -> Answer:
        """The answer to a request. Raises NotFound for what no workspace signed, Throttled, Unavailable."""
        token = request.path["token"]
        kind = request.route.partition("/")[2].partition("/")[0]
        if kind == "h":
            admit(self._workspaces, token, HIDDEN)
            return {"statusCode": 204, "headers": dict(_QUIET)}
        if kind == "confirm":
            return self._confirm(request, *admit(self._workspaces, token, CONFIRM))
        return self._unsubscribe(request, *admit(self._workspaces, token, PURPOSE))

    def refusal(self, error: TidingsError, event: Mapping[str, Any]) -> Answer:
        """The page that says why a request was not answered."""
        from tidings.messages import pages

        method = event.get("requestContext", {}).get("http", {}).get("method", "")
        if isinstance(error, NotFound):
            return _shown(method, pages.not_found_page(), 404)
        busy = pages.notice_page(None, "Please try again", "Something went wrong on our side. Nothing was changed.")
        answer = _shown(method, busy, error.status)
        if isinstance(error, Throttled):
            answer["headers"]["retry-after"] = str(error.retry_after)
        return answer

    def _unsubscribe(self, request: Request, workspace: Workspace, ticket: Ticket) -> Answer:
        said = ""
        if request.method == "POST":
            fields = fields_in(request)
            if action_of(fields) not in ("leave", "all", "save", "back"):
                self._preferences.leave(workspace, ticket, ONE_CLICK, request.source_ip)
                headers = {"content-type": "text/plain; charset=utf-8", **_QUIET}
                return {"statusCode": 200, "headers": headers, "body": "You are unsubscribed.\n"}
            said = self._change(workspace, ticket, fields, request.source_ip)
        from tidings.messages import pages  # late: what a mailbox provider POSTs needs no page

        page = pages.preference_page(Brand.of(workspace), self._preferences.show(workspace, ticket), said)
        return _shown(request.method, page)

    def _change(self, workspace: Workspace, ticket: Ticket, fields: Fields, ip: str) -> str:
        """Do what a button of the page asks for; what to say about it."""
        from tidings.messages import pages

        action = action_of(fields)
        if action == "save":
            chosen, shown = (frozenset(fields.get(name, ())) for name in ("topic", "shown"))
            self._preferences.save(workspace, ticket, chosen, ip, shown)
            return pages.SAVED
        if action == "back":
            self._preferences.back(workspace, ticket, ip)
            return pages.BACK
        everything = action == "all"
        self._preferences.leave(workspace, ticket, PAGE, ip, everything)
        return pages.LEFT_ALL if everything else pages.LEFT

    def _confirm(self, request: Request, workspace: Workspace, ticket: Ticket) -> Answer:
        from tidings.messages import pages

        brand, now = Brand.of(workspace), self._preferences.show(workspace, ticket)
        topic = now.about.title if now.about else "all news"
        if request.method != "POST":
            return _shown(request.method, pages.confirm_page(brand, topic, now.address))
        try:
            self._preferences.confirm(workspace, ticket, request.source_ip)
        except (NotFound, Conflict) as error:
            return _shown(request.method, pages.notice_page(brand, LATE, error.message), error.status)
        text = f"“{topic}” comes to you from now on. Every mail has a link at its end by which you can leave."
        return _shown(request.method, pages.notice_page(brand, "You are subscribed", text))


def _shown(method: str, page: tuple[str, dict[str, str]], status: int = 200) -> Answer:
    html, headers = page
    return {"statusCode": status, "headers": headers, "body": "" if method == "HEAD" else html}
