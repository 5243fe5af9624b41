"""Texts to a number of the local system, 20 a second for a minute: how many are lost, and how long each takes.

    python -m benchmarks.inbound --queue URL --endpoint http://127.0.0.1:PORT --number +48732100200 --url URL --key KEY

What End User Messaging would publish is put into the inbound queue as SNS delivers it: each text twice, and in an
order that is not that of its time. At the end the API is asked, for each person, for the texts in their conversation.
None may be missing, none twice, and they stand in the order of their times.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import boto3

from tidings_cli.client import Client

PER_SECOND, SECONDS, PEOPLE = 20, 60, 40
MOST_PER_SECOND, MOST_SECONDS = 50, 300
# What a text may take until it stands in its conversation, once the last was put.
PATIENCE = 300


@dataclass(frozen=True)
class Text:
    """One text: whose, its id, its words, and when AWS published it."""

    person: str
    id: str
    body: str
    at: datetime

    def envelope(self, number: str) -> str:
        """What the queue holds of it."""
        told = {
            "originationNumber": self.person,
            "destinationNumber": number,
            "messageKeyword": "KEYWORD_1",
            "messageBody": self.body,
            "inboundMessageId": self.id,
        }
        at = self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return json.dumps({"Type": "Notification", "Timestamp": at, "Message": json.dumps(told)})


def texts(count: int, began: datetime, run: str) -> list[Text]:
    """So many texts of people who take turns, by their times."""
    return [
        Text(f"+48601{n % PEOPLE:06d}", f"{run}-{n}", f"{run} text {n}", began + timedelta(milliseconds=50 * n))
        for n in range(count)
    ]


def put(sqs: Any, queue: str, number: str, every: list[Text], per_second: int) -> None:
    """Put each text twice into the queue, at an even pace, those of each second shuffled."""
    chance = random.Random(20261122)  # noqa: S311 - an order, not a secret
    with ThreadPoolExecutor(8) as pool:
        for start in range(0, len(every), per_second):
            began = time.monotonic()
            some = every[start : start + per_second] * 2
            chance.shuffle(some)
            list(pool.map(lambda text: sqs.send_message(QueueUrl=queue, MessageBody=text.envelope(number)), some))
            time.sleep(max(0.0, 1 - (time.monotonic() - began)))


def conversed(client: Client, person: str, run: str) -> list[str]:
    """The texts of this run in a person's conversations, in their order."""
    found = client.get("contacts", phone=person)["contacts"]
    listed: list[str] = []
    for contact in found:
        for one in client.get("contacts", contact["contact"], "conversations")["conversations"]:
            listed += [entry["text"] for entry in _entries(client, one["conversation"])]
    return [text for text in listed if text.startswith(f"{run} ")]


def _entries(client: Client, conversation: str) -> Iterator[dict[str, Any]]:
    """A conversation's entries, page by page."""
    cursor = ""
    while True:
        page = client.get("conversations", conversation, limit="200", **({"cursor": cursor} if cursor else {}))
        yield from page["entries"]
        cursor = page.get("cursor", "")
        if not cursor:
            return


def missing(client: Client, every: list[Text], run: str) -> tuple[int, int, int]:
    """How many texts are lost, how many stand more than once, and how many people's are out of order."""
    lost = twice = disordered = 0
    for person in sorted({text.person for text in every}):
        wanted = [text.body for text in every if text.person == person]
        found = conversed(client, person, run)
        lost += len(set(wanted) - set(found))
        twice += len(found) - len(set(found))
        disordered += [text for text in wanted if text in found] != found
    return lost, twice, disordered


def main() -> int:
    """Run it; exit code 1 if a text was lost, doubled or out of order."""
    args = _arguments()
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    sqs = boto3.client("sqs", endpoint_url=args.endpoint, region_name="us-east-1", **keys)
    client = Client(args.url, args.key)
    run = f"run{int(time.time())}"
    every = texts(args.per_second * args.seconds, datetime.now(UTC), run)
    began = time.monotonic()
    put(sqs, args.queue, args.number, every, args.per_second)
    pace = len(every) / (time.monotonic() - began)
    last = time.monotonic()
    found = missing(client, every, run)
    while found != (0, 0, 0) and time.monotonic() - last < PATIENCE:
        time.sleep(5)
        found = missing(client, every, run)
    lost, twice, disordered = found
    print(f"{len(every)} texts at {pace:.1f} a second, each delivered twice: {lost} lost, {twice} doubled, "
          f"{disordered} people's out of order; all stood {time.monotonic() - last:.0f} s after the last.")  # fmt: skip
    return 0 if found == (0, 0, 0) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("queue", "endpoint", "number", "url", "key"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--per-second", type=int, default=PER_SECOND)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    args = parser.parse_args()
    for address in (args.endpoint, args.url, args.queue):
        if urlsplit(address).hostname not in ("127.0.0.1", "localhost"):
            parser.error("this only talks to a local system: 127.0.0.1")
    if not 0 < args.per_second <= MOST_PER_SECOND or not 0 < args.seconds <= MOST_SECONDS:
        parser.error(f"at most {MOST_PER_SECOND} a second for {MOST_SECONDS} seconds")
    return args


if __name__ == "__main__":
    sys.exit(main())
