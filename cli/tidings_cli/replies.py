"""What `tidings conversation reply` does through the API."""

from __future__ import annotations

import argparse
import base64
import mimetypes
import uuid
from pathlib import Path
from typing import Any

from tidings_cli import words
from tidings_cli.client import Client
from tidings_cli.errors import CommandFailed
from tidings_cli.printing import OK, WARNING, escape, print_json, say

# The provider's answer was lost, or is still to come.
_OPEN = ("claimed", "unknown")


def reply(client: Client, args: argparse.Namespace) -> int:
    """Answer in a conversation, and say what became of it; exit code 1 if it was not sent. Raises CommandFailed."""
    answer = client.post("conversations", args.conversation, "replies", body=_body(args))
    message, conversation = answer["message"], answer["conversation"]
    sent = message["state"] not in ("skipped", "refused")
    if args.json:
        print_json(answer)
    elif message["state"] in _OPEN:
        say(
            f"{WARNING} Nobody knows yet whether it was sent to {escape(message['address'])} by {message['channel']};",
            f"  the conversation is {_state(conversation)}.",
        )
    elif sent:
        say(
            f"{OK} Sent to {escape(message['address'])} by {message['channel']};",
            f"  the conversation is {_state(conversation)}.",
        )
    else:
        say(
            f"{WARNING} Not sent: {_stands(message, conversation)}.",
            *(f"  {escape(line)}" for line in words.decision(message)),
        )
    return 0 if sent else 1


def _stands(message: dict[str, Any], conversation: dict[str, Any]) -> str:
    """What a reply that was not sent left behind: one that the provider refused had been claimed, with its entry."""
    if message["state"] == "skipped":
        return "the conversation is as it was"
    return f"it stands in the conversation all the same, which is {_state(conversation)}"


def _state(conversation: dict[str, Any]) -> str:
    return str(conversation["state"]).replace("_", " ")


def _body(args: argparse.Namespace) -> dict[str, Any]:
    given = {
        "text": args.text,
        "template": args.template,
        "channel": args.channel,
        "subject": args.subject,
        "variables": dict(_pair(text) for text in args.var),
        "attachments": [_file(Path(name)) for name in args.attach],
    }
    key = args.idempotency_key or uuid.uuid4().hex
    return {**{name: value for name, value in given.items() if value}, "idempotency_key": key}


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise CommandFailed(f"{text} is no variable: write it like name=value")
    return name, value


def _file(path: Path) -> dict[str, str]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CommandFailed(f"{path} cannot be read: {error.strerror}") from error
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return {"name": path.name, "type": kind, "content": base64.b64encode(content).decode()}
