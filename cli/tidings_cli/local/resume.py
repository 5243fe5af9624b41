"""Lets go on what the last stop cut short: the engine, starting, fails every execution that ran when it stopped."""

from __future__ import annotations

import json
from typing import Any

import urllib3

from tidings_cli.errors import CommandFailed

SECONDS = 60


def resume_enrolments(url: str, secret_key: str) -> int:
    """Ask for every automation that its lost executions be started again; how many were. Raises CommandFailed."""
    resumed = 0
    for automation in _ask("GET", f"{url}/v1/automations", secret_key).get("automations", []):
        answer = _ask("POST", f"{url}/v1/automations/{automation['automation']}/resume", secret_key)
        resumed += int(answer.get("resumed", 0))
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


def _ask(method: str, url: str, secret_key: str, status: int = 200) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {secret_key}", "content-type": "application/json"}
    try:
        answer = urllib3.request(method, url, headers=headers, timeout=SECONDS, retries=False)
        body = answer.json()
    except (urllib3.exceptions.HTTPError, json.JSONDecodeError) as error:
        raise CommandFailed(f"{method} {url} was not answered: {error}") from error
    if answer.status != status or not isinstance(body, dict):
        raise CommandFailed(
            f"{method} {url} was answered with {answer.status}: {answer.data[:300].decode(errors='replace')}"
        )
    return body
