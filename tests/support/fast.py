"""What makes worlds cheap: a service's model is read once a process, and each kind of client is made once.

Making a client costs more than most tests. It keeps nothing of what moto stores: a new world finds it as good as new.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest import mock

from botocore.loaders import JSONFileLoader
from botocore.session import Session
from moto.core import responses
from moto.kms import models as kms
from pynamodb.connection import Connection

_clients: dict[Any, Any] = {}
_create_client = Session.create_client
_client_of: Any = Connection.client
_load_file = cache(JSONFileLoader().load_file)
_generate_private_key = cache(kms.generate_private_key)
_method_names = cache(responses.method_names_from_class)


@contextmanager
def sharing() -> Iterator[None]:
    """Hand the same client to everybody who asks for the same one."""
    with (
        mock.patch.object(JSONFileLoader, "load_file", lambda _, path: _load_file(path)),
        mock.patch.object(Session, "create_client", _shared_client),
        mock.patch.object(Connection, "client", property(_shared_connection)),
        mock.patch.object(kms, "generate_private_key", _generate_private_key),  # moto makes one for encrypted tables
        mock.patch.object(responses, "method_names_from_class", _method_names),  # moto looks them up at each call
    ):
        yield


def _shared_client(session: Session, service: str, region_name: str | None = None, **named: Any) -> Any:
    options = vars(named["config"]) if named.get("config") else {}
    others = {name: value for name, value in named.items() if name != "config"}
    region = region_name or os.environ.get("AWS_REGION")
    key = (service, region, repr(sorted(others.items())), repr(sorted(options.items())))
    if key not in _clients:
        _clients[key] = _create_client(session, service, region_name, **named)
    return _clients[key]


def _shared_connection(connection: Connection) -> Any:
    # pynamodb adds a handler to each client that a connection gets: on a shared one they would pile up.
    key = ("pynamodb", os.environ.get("AWS_REGION"))
    if key not in _clients:
        _clients[key] = _client_of.fget(connection)
    return _clients[key]
