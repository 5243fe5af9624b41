"""What the account has at End User Messaging, kept by kind and name."""

from __future__ import annotations

import json
from typing import Any, cast

from tidings_cli.carriers.database import Database

Record = dict[str, Any]


class Shelf:
    """Records of one kind, each under a name, oldest first."""

    def __init__(self, database: Database, kind: str) -> None:
        self._database = database
        self._kind = kind

    def get(self, name: str) -> Record | None:
        """The record of this name."""
        query = "SELECT record FROM sms_account WHERE kind = ? AND name = ?"
        rows = self._database.rows(query, (self._kind, name))
        return cast(Record, json.loads(cast(str, rows[0][0]))) if rows else None

    def all(self) -> dict[str, Record]:
        """All records by their names."""
        query = "SELECT name, record FROM sms_account WHERE kind = ? ORDER BY seq"
        rows = cast(list[tuple[str, str]], self._database.rows(query, (self._kind,)))
        return {name: json.loads(record) for name, record in rows}

    def put(self, name: str, record: Record) -> None:
        """Write a record down, in its old place if there was one."""
        self._database.change(
            "INSERT INTO sms_account (kind, name, record) VALUES (?, ?, ?)"
            " ON CONFLICT (kind, name) DO UPDATE SET record = excluded.record",
            (self._kind, name, json.dumps(record)),
        )

    def remove(self, name: str) -> None:
        """Forget a record."""
        self._database.change("DELETE FROM sms_account WHERE kind = ? AND name = ?", (self._kind, name))
