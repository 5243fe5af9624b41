"""A text that somebody wrote to one of our numbers, as End User Messaging tells a topic of it.

https://docs.aws.amazon.com/sms-voice/latest/userguide/two-way-sms-payload.html
There is no time in the payload: the envelope's, at which it was published, stands for it. RCS follows the same form; a
reply by a suggestion and a place come in it, a file lies in S3 and is named with its bucket and key.
https://docs.aws.amazon.com/sms-voice/latest/userguide/rcs-inbound-media.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tidings.core.clock import from_text
from tidings.core.documents import storable
from tidings.core.errors import InvalidInput

ID_CHARACTERS = 256
TEXT_CHARACTERS = 10_000
PLACE_CHARACTERS = 2_000
FILES = 10
# Fields that hold what is told; whatever else comes with them is kept as it came.
_KNOWN = frozenset(
    {
        *("originationNumber", "destinationNumber", "messageKeyword", "messageBody"),
        *("inboundMessageId", "previousPublishedMessageId"),
    }
)
_NUMBER = re.compile(r"^\+?[1-9][0-9]{1,18}$")
_FILE = {"bucket": ("bucket", "s3bucket", "bucketname"), "key": ("key", "s3key", "objectkey")}
_TYPE = ("mimetype", "mime", "contenttype")
_SIZE = ("size", "filesize", "sizebytes")


@dataclass(frozen=True, slots=True)
class File:
    """A file that came with a message: its media type, its size in bytes (0 where nobody says), and where it lies."""

    type: str
    place: str
    size: int = 0

    @property
    def name(self) -> str:
        """The last part of its key."""
        return self.place.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Text:
    """What somebody wrote. `sender` is their number, `to` ours, `id` AWS's of it, `at` when AWS published it.

    `answers` is AWS's id of our message that it answers, empty where it names none. `more` is what came besides.
    """

    sender: str
    to: str
    id: str
    at: datetime
    body: str
    answers: str = ""
    files: tuple[File, ...] = ()
    more: str = ""


def read(envelope: str) -> Text:
    """The text that SNS delivered to the queue. Raises InvalidInput for whatever is none."""
    try:
        outer = json.loads(envelope)
        told = json.loads(outer["Message"])
        at = from_text(outer["Timestamp"])
    except (KeyError, RecursionError, TypeError, ValueError) as error:
        raise InvalidInput("unreadable_text", "This is no message that SNS delivers of a text.") from error
    if not isinstance(told, Mapping):
        raise InvalidInput("unreadable_text", "The message is no JSON object.")
    body = told.get("messageBody")
    files = tuple(_files(told))[:FILES]
    more = {name: value for name, value in told.items() if name not in _KNOWN}
    if not isinstance(body, str) and not more:
        raise InvalidInput("unreadable_text", "There is no text in the message.", "messageBody")
    return Text(
        sender=_number(told, "originationNumber"),
        to=_number(told, "destinationNumber"),
        id=_id(told, "inboundMessageId"),
        at=at,
        body=storable((body if isinstance(body, str) else "")[:TEXT_CHARACTERS]),
        answers=_id(told, "previousPublishedMessageId", required=False),
        files=files,
        more=storable(json.dumps(more, ensure_ascii=False, separators=(",", ":"))[:PLACE_CHARACTERS]) if more else "",
    )


def _number(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str) or not _NUMBER.match(value.strip()):
        raise InvalidInput("unreadable_text", f"{name} is no phone number.", name)
    return "+" + value.strip().removeprefix("+")


def _id(told: Mapping[str, Any], name: str, required: bool = True) -> str:
    value = told.get(name)
    if value in (None, "") and not required:
        return ""
    if not isinstance(value, str) or not 0 < len(value) <= ID_CHARACTERS or not value.isprintable():
        raise InvalidInput("unreadable_text", f"{name} is missing, or no id.", name)
    return value


def _files(told: Mapping[str, Any]) -> Iterator[File]:
    """Every object that names a bucket and a key, at the top or one step below."""
    inner = [told, *told.values()]
    inner += [one for value in told.values() if isinstance(value, list) for one in value]
    for one in inner:
        if not isinstance(one, Mapping):
            continue
        fields = {re.sub("[^a-z0-9]", "", str(name).lower()): value for name, value in one.items()}
        bucket, key = (_first(fields, names) for names in _FILE.values())
        if isinstance(bucket, str) and isinstance(key, str) and bucket and key:
            size = _first(fields, _SIZE)
            kind = _first(fields, _TYPE)
            known = size if isinstance(size, int) and size >= 0 else 0
            place = storable(f"s3://{bucket}/{key}"[:PLACE_CHARACTERS])
            yield File(storable(str(kind or "application/octet-stream")[:100]), place, known)


def _first(fields: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((fields[name] for name in names if name in fields), None)
