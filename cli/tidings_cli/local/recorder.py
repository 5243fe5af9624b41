"""Writes down every AWS call that the functions make, and passes it on.

Only with `--record`: then the functions' clients are pointed here, and each request is sent on as it came, to the
engine or to the carrier of the service it was signed for. A line of the file is one permission that one request needed:

    {"function": "TrackFunction", "action": "dynamodb:PutItem", "resource": "arn:aws:dynamodb:...:table/..."}
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tidings_cli.errors import CommandFailed
from tidings_cli.local.calls import calls_in, function_of, service_of
from tidings_cli.local.exchange import Handler, Request, Response


class Recorder:
    """A handler that stands between functions and AWS. `carriers` are handlers by the name a service signs with."""

    def __init__(self, path: Path, engine: Handler, carriers: Mapping[str, Handler]) -> None:
        self._engine = engine
        self._carriers = dict(carriers)
        self._writing = threading.Lock()
        try:
            path.absolute().parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise CommandFailed(f"Calls cannot be recorded in {path} ({error.strerror}).") from error

    def handle(self, request: Request) -> Response:
        """Write down what the request needs, then pass it on: a call is in the file before its answer is known."""
        self._write(request)
        return self._carriers.get(service_of(request), self._engine)(request)

    def close(self) -> None:
        """End the file."""
        with self._writing:
            self._file.close()

    def _write(self, request: Request) -> None:
        function = function_of(request)
        lines: list[dict[str, Any]] = [
            {"function": function, "action": call.action, "resource": call.resource} for call in calls_in(request)
        ]
        with self._writing:
            if not self._file.closed:
                self._file.writelines(json.dumps(line) + "\n" for line in lines)
                self._file.flush()
