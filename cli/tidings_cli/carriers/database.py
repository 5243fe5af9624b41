"""The carriers' memory: one SQLite file in the state folder.

Everything is committed before the caller gets an answer, so that a hard kill of the process loses nothing.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tidings.core.errors import Unavailable

_SCHEMA = """
CREATE TABLE IF NOT EXISTS mails (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, at TEXT NOT NULL, record TEXT NOT NULL,
  search TEXT NOT NULL, raw BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS recipients (mail TEXT NOT NULL, address TEXT NOT NULL, PRIMARY KEY (address, mail))
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS links (mail TEXT NOT NULL, n INTEGER NOT NULL, url TEXT NOT NULL, tags TEXT NOT NULL,
  PRIMARY KEY (mail, n)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS feedback (
  id INTEGER PRIMARY KEY AUTOINCREMENT, message TEXT NOT NULL, type TEXT NOT NULL, at TEXT NOT NULL,
  target TEXT NOT NULL, subject TEXT, body TEXT NOT NULL, state TEXT NOT NULL, error TEXT);
CREATE INDEX IF NOT EXISTS feedback_of_message ON feedback (message);
CREATE INDEX IF NOT EXISTS feedback_to_publish ON feedback (id) WHERE state = 'pending';
CREATE TABLE IF NOT EXISTS topics (target TEXT PRIMARY KEY, arn TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS suppressions (address TEXT PRIMARY KEY, reason TEXT NOT NULL, updated_at TEXT NOT NULL,
  message TEXT, feedback TEXT);
CREATE TABLE IF NOT EXISTS identities (name TEXT PRIMARY KEY, verified INTEGER NOT NULL, created INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS identity_settings (name TEXT PRIMARY KEY, status TEXT, mail_from TEXT);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS faults (id INTEGER PRIMARY KEY AUTOINCREMENT, send TEXT NOT NULL, count INTEGER NOT NULL,
  address TEXT, seconds REAL NOT NULL);
CREATE TABLE IF NOT EXISTS sms (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, at TEXT NOT NULL, person TEXT NOT NULL,
  ours TEXT NOT NULL, direction TEXT NOT NULL, record TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS sms_of_person ON sms (person, ours);
CREATE TABLE IF NOT EXISTS sms_account (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, name TEXT NOT NULL, record TEXT NOT NULL,
  UNIQUE (kind, name));
"""


class Database:
    """One connection shared by all threads, one statement or transaction at a time.

    `revision` grows with every change, so that a page can ask cheaply whether it is still up to date.
    """

    def __init__(self, path: Path) -> None:
        self.revision = 0
        self._lock = threading.RLock()
        self._depth = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            # A write-ahead log survives the death of the process at any point; only a power cut could cost
            # the last moments with synchronous=NORMAL, which is not worth a disk flush per mail here.
            self._connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + _SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise Unavailable("state_broken", f"The outbox cannot be opened at {path}: {error}") from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes inside become visible together, or none does. May be nested: the outermost decides."""
        with self._lock:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if self._depth == 0:
                self._connection.execute("COMMIT")
                self.revision += 1

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        """The rows that a query finds."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def change(self, statement: str, values: Sequence[object] = ()) -> int:
        """Run one changing statement in a transaction of its own or the current one; answers the rows touched."""
        with self.transaction():
            return self._connection.execute(statement, values).rowcount

    def change_many(self, statement: str, values: Sequence[Sequence[object]]) -> None:
        """Run one changing statement for every row of values."""
        with self.transaction():
            self._connection.executemany(statement, values)

    def flush(self) -> None:
        """Fold the write-ahead log into the file, so that the file alone can be copied."""
        with self._lock:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file; nothing works after that."""
        with self._lock:
            self._connection.close()
