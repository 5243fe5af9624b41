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


def _ask(method: str, url: str, secret_key: str) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {secret_key}", "content-type": "application/json"}
    try:
        answer = urllib3.request(method, url, headers=headers, timeout=SECONDS, retries=False)
        body = answer.json()
    except (urllib3.exceptions.HTTPError, json.JSONDecodeError) as error:
        raise CommandFailed(f"{method} {url} was not answered: {error}") from error
    if answer.status != 200 or not isinstance(body, dict):
        raise CommandFailed(
            f"{method} {url} was answered with {answer.status}: {answer.data[:300].decode(errors='replace')}"
        )
    return body
