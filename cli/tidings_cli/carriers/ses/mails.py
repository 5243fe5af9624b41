"""The mails that were accepted, as the outbox keeps them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, cast

from tidings_cli.carriers.database import Database
from tidings_cli.carriers.feedback import Entry, FeedbackLog, State
from tidings_cli.carriers.ses.tracking import Link

# The name under which the log knows who is told of mails that people write.
RECEIVED = "ses-received"


@dataclass(frozen=True)
class Mail:
    """One accepted message.

    `id` is SES's message id and `at` when it was accepted (ISO 8601, milliseconds, Z). `to`, `cc` and `bcc` are as the
    caller wrote them, `recipients` all of them as bare addresses. `html` is what recipients get, links tracked;
    `source_html` what the caller sent. `headers` are those of the delivered message, `original_headers` the caller's.
    """

    id: str
    at: str
    source: str
    to: list[str]
    cc: list[str]
    bcc: list[str]
    recipients: list[str]
    subject: str
    text: str | None
    html: str | None
    source_html: str | None
    headers: list[list[str]]
    original_headers: list[list[str]]
    attachments: list[dict[str, Any]]
    tags: dict[str, list[str]]
    configuration_set: str | None
    reply_to: list[str]
    region: str
    account: str
    caller: str
    caller_ip: str
    size: int
    tracked: bool = False


class MailStore:
    """The accepted mails, their links and what happened to them."""

    def __init__(self, database: Database, log: FeedbackLog) -> None:
        self._database = database
        self._log = log

    def add(self, mail: Mail, raw: bytes, links: Sequence[Link], entries: Sequence[Entry]) -> None:
        """Keep a mail with its tracked links and first events, all or nothing."""
        words = [mail.source, *mail.recipients, *mail.to, mail.subject, mail.text or mail.source_html or ""]
        search = " ".join(words).lower()[:20_000]
        with self._database.transaction():
            self._database.change(
                "INSERT INTO mails (id, at, record, search, raw) VALUES (?, ?, ?, ?, ?)",
                (mail.id, mail.at, json.dumps(asdict(mail)), search, raw),
            )
            rows = [(mail.id, address.lower()) for address in mail.recipients]
            self._database.change_many("INSERT OR IGNORE INTO recipients VALUES (?, ?)", rows)
            tracked = [(mail.id, n, link.url, json.dumps(link.tags)) for n, link in enumerate(links)]
            self._database.change_many("INSERT INTO links VALUES (?, ?, ?, ?)", tracked)
            self._log.add(entries)

    def get(self, mail_id: str) -> Mail | None:
        """The mail of this id."""
        rows = self._database.rows("SELECT record FROM mails WHERE id = ?", (mail_id,))
        return _mail(rows[0][0]) if rows else None

    def raw(self, mail_id: str) -> bytes | None:
        """The message as it travelled."""
        rows = self._database.rows("SELECT raw FROM mails WHERE id = ?", (mail_id,))
        return cast(bytes, rows[0][0]) if rows else None

    def links(self, mail_id: str) -> list[Link]:
        """The tracked links of a mail, in their order."""
        rows = self._database.rows("SELECT url, tags FROM links WHERE mail = ? ORDER BY n", (mail_id,))
        return [Link(url, json.loads(tags)) for url, tags in cast(list[tuple[str, str]], rows)]

    def find(self, to: str = "", since: str = "", words: str = "", event: str = "", limit: int = 0) -> list[Mail]:
        """Mails, newest first, that meet all of the wishes given.

        `to` is a whole address, `since` an instant as `Mail.at` writes it, `words` must all occur in sender,
        recipients, subject or text, `event` must have happened, `limit` bounds the number.
        """
        wishes: list[tuple[str, str]] = []
        if to:
            wishes.append(("id IN (SELECT mail FROM recipients WHERE address = ?)", to.lower()))
        if since:
            wishes.append(("at >= ?", since))
        wishes += [("instr(search, ?) > 0", word) for word in words.lower().split()]
        if event:
            wishes.append(("EXISTS (SELECT 1 FROM feedback WHERE message = mails.id AND type = ?)", event))
        where = " AND ".join(["1", *(wish for wish, _ in wishes)])
        bound = f" LIMIT {int(limit)}" if limit else ""
        query = f"SELECT record FROM mails WHERE {where} ORDER BY seq DESC{bound}"  # noqa: S608
        return [_mail(row[0]) for row in self._database.rows(query, [value for _, value in wishes])]

    def count(self, since: str = "") -> int:
        """How many mails there are."""
        return cast(int, self._database.rows("SELECT count(*) FROM mails WHERE at >= ?", (since,))[0][0])

    def empty(self) -> int:
        """Throw all mails away; events still on their way to SNS arrive. Answers how many there were."""
        with self._database.transaction():
            self._log.forget("SELECT id FROM mails")
            for table in ("links", "recipients"):
                self._database.change(f"DELETE FROM {table}")  # noqa: S608
            return self._database.change("DELETE FROM mails")


def milliseconds(instant: datetime) -> str:
    """ISO 8601 as SES writes it: UTC with milliseconds and a Z."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def entry_state(mail: Mail, dropped: bool) -> State:
    """How an event of this mail starts out: only a message with a configuration set has a listener."""
    if mail.configuration_set is None:
        return State.UNSENT
    return State.DROPPED if dropped else State.PENDING


def target_of(configuration_set: str | None) -> str:
    """The name under which the log knows an SES configuration set."""
    return f"ses:{configuration_set or ''}"


def _mail(record: object) -> Mail:
    return Mail(**json.loads(cast(str, record)))
