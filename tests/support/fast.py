"""What makes worlds cheap: a service's model is read once a process, and each kind of client is made once.

Making a client costs more than most tests. It keeps nothing of what moto stores: a new world finds it as good as new.
And moto goes through all items of a table for a query of one partition, and copies whole tables before a transaction:
here it looks at the partition, and copies what the transaction names.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import SimpleNamespace
from typing import Any
from unittest import mock

from botocore.loaders import JSONFileLoader
from botocore.session import Session
from moto.core import responses
from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb import models as dynamodb
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser, Node
from moto.kms import models as kms
from pynamodb.connection import Connection

_AS_THEY_ARE = frozenset({"S", "N", "BOOL", "NULL"})
_clients: dict[Any, Any] = {}
_create_client = Session.create_client
_client_of: Any = Connection.client
_load_file = cache(JSONFileLoader().load_file)
_generate_private_key = cache(kms.generate_private_key)
_method_names = cache(responses.method_names_from_class)
_query = Table.query
_serialize = BaseJSONSerializer._serialize_type_structure
_transact = dynamodb.DynamoDBBackend.transact_write_items


@contextmanager
def sharing() -> Iterator[None]:
    """Hand the same client to everybody who asks for the same one."""
    with (
        mock.patch.object(JSONFileLoader, "load_file", lambda _, path: _load_file(path)),
        mock.patch.object(Session, "create_client", _shared_client),
        mock.patch.object(Connection, "client", property(_shared_connection)),
        mock.patch.object(kms, "generate_private_key", _generate_private_key),  # moto makes one for encrypted tables
        mock.patch.object(responses, "method_names_from_class", _method_names),  # moto looks them up at each call
        mock.patch.object(Table, "query", _query_partition),
        mock.patch.object(dynamodb.DynamoDBBackend, "transact_write_items", _transact_named),
        mock.patch.object(dynamodb, "copy", SimpleNamespace(deepcopy=_copy_of)),
        mock.patch.object(DepthFirstTraverser, "traverse", _traverse),
        mock.patch.object(BaseJSONSerializer, "_serialize_type_structure", _serialize_structure),
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


def _query_partition(table: Table, hash_key: Any, *told: Any, **named: Any) -> Any:
    index = told[6] if len(told) > 6 else named.get("index_name")
    if index is not None:
        return _query(table, hash_key, *told, **named)
    found: Any = table.items.get(hash_key, {})
    partition = list(found.values()) if table.range_key_attr else [found] if found else []
    vars(table)["all_items"] = lambda: partition
    try:
        return _query(table, hash_key, *told, **named)
    finally:
        del vars(table)["all_items"]


def _serialize_structure(serializer: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
    """A structure of an answer; one that is a DynamoDB value of text stands in it as it is.

    For each of the ten kinds that a value might have, moto tries six names.
    """
    if shape.name == "AttributeValue" and len(value) == 1 and not value.keys().isdisjoint(_AS_THEY_ARE):
        serialized[key] = dict(value)
    else:
        _serialize(serializer, serialized, value, shape, key)


def _traverse(traverser: Any, root: Any) -> Any:
    """Expressions are walked through in moto's own order; which nodes a walk is about is asked once for each kind."""
    about = cache(lambda kind: issubclass(kind, traverser.nodes_to_be_processed()))
    is_node = cache(lambda kind: issubclass(kind, Node))

    def walked(node: Any, number: int) -> Any:
        if not is_node(type(node)):
            return node
        parent = node.parent
        for at, child in enumerate(node.children or ()):
            traverser.pre_processing_of_child(node, at)
            walked(child, at)
        if about(type(node)):
            node = traverser.process(node)
            node.parent = parent
            if parent:
                parent.children[number] = node
        return node

    return walked(root, -1)


def _transact_named(backend: Any, transact_items: list[dict[str, Any]]) -> None:
    """The transaction; where it is refused, what it names is put back."""
    kept = [_place(backend, told) for entry in transact_items for told in entry.values()]
    before = [copy.deepcopy(partition.get(key)) for partition, key in kept]
    try:
        _transact(backend, transact_items)
    except Exception:
        for (partition, key), item in zip(kept, before, strict=True):
            partition.pop(key, None) if item is None else partition.update({key: item})
        raise


def _place(backend: Any, told: dict[str, Any]) -> tuple[dict[DynamoType, Item], DynamoType]:
    """Where an item stands that a transaction names: in which part of its table, and its key there."""
    table, key = backend.get_table(told["TableName"]), told.get("Key") or told["Item"]
    first = DynamoType(key[table.hash_key_attr])
    if table.range_key_attr is None:
        return table.items, first
    return table.items[first], DynamoType(key[table.range_key_attr])


def _copy_of(thing: Any) -> Any:
    """A copy, save of a table, whose items `_transact_named` puts back."""
    return thing if isinstance(thing, Table) else copy.deepcopy(thing)
