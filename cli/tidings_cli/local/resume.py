"""Lets go on what the last stop cut short: the engine, starting, fails every execution that ran when it stopped."""

from __future__ import annotations

import json
from typing import Any

import urllib3

from tidings_cli.errors import CommandFailed

SECONDS = 60
# How many are resumed by one call, at first. A page that takes too long where much else goes on is asked for again, for
# half as many: who was resumed by then has an execution, and needs none.
PAGE = 100
FEWEST = 5


def resume_enrolments(url: str, secret_key: str) -> int:
    """Ask for every published automation that its lost executions be started again, page by page; how many were.

    Also those who were about to start, which the stop may have cut short too: whoever still starts them finds it done.
    A pause stays as it is: who comes to act in it waits. Raises CommandFailed.
    """
    resumed, cursor = 0, ""
    while True:
        page = _ask("GET", f"{url}/v1/automations?limit=200{f'&cursor={cursor}' if cursor else ''}", secret_key)
        for automation in page.get("automations", []):
            if automation.get("live_version") is not None:
                resumed += _resume(f"{url}/v1/automations/{automation['automation']}/resume", secret_key)
        cursor = str(page.get("cursor", ""))
        if not cursor:
            return resumed


def _resume(place: str, secret_key: str) -> int:
    resumed, limit, cursor = 0, PAGE, ""
    while True:
        order = {"lost": True, "starting": True, "limit": limit} | ({"cursor": cursor} if cursor else {})
        try:
            answer = _ask("POST", place, secret_key, body=order)
        except CommandFailed:
            if limit // 2 < FEWEST:
                raise
            limit //= 2
            continue
        resumed += int(answer.get("resumed", 0))
        cursor = str(answer.get("cursor", ""))
        if not cursor:
            return resumed


def resume_sends(url: str, secret_key: str) -> int:
    """Let every send that is not over go on; how many there are. Raises CommandFailed."""
    resumed, cursor = 0, ""
    while True:
        page = _ask("GET", f"{url}/v1/sends?limit=200{f'&cursor={cursor}' if cursor else ''}", secret_key)
        for send in page.get("sends", []):
            if send["state"] in ("scheduled", "sending"):
                _ask("POST", f"{url}/v1/sends/{send['send']}/resume", secret_key, 202)
                resumed += 1
        cursor = str(page.get("cursor", ""))
        if not cursor:
            return resumed


def _ask(
    method: str, url: str, secret_key: str, status: int = 200, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {secret_key}", "content-type": "application/json"}
    try:
        sent = None if body is None else json.dumps(body)
        answer = urllib3.request(method, url, body=sent, headers=headers, timeout=SECONDS, retries=False)
        told = answer.json()
    except (urllib3.exceptions.HTTPError, json.JSONDecodeError) as error:
        raise CommandFailed(f"{method} {url} was not answered: {error}") from error
    if answer.status != status or not isinstance(told, dict):
        raise CommandFailed(
            f"{method} {url} was answered with {answer.status}: {answer.data[:300].decode(errors='replace')}"
        )
    return told
