"""Feedback that SNS delivers by HTTPS: what is genuine goes the way of all feedback, by the queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from tidings.core.errors import InvalidInput, Unavailable
from tidings.core.logs import logger
from tidings.core.sns import (
    SUBSCRIBE,
    UNSUBSCRIBE,
    Fetcher,
    Verifier,
    require_subscribe_url,
)

CONNECT_SECONDS = 2.0
READ_SECONDS = 3.0
MOST_BYTES = 64 * 1024

# What goes on to the queue: nothing that the sender may have put beside it.
_PASSED_ON = ("Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp")


class Queue(Protocol):
    """Where feedback waits for being taken in."""

    def put(self, body: Mapping[str, Any]) -> None: ...


class HttpsFetcher:
    """Fetches small documents over HTTPS, once, and follows nothing."""

    def get(self, url: str) -> bytes:
        """What is at an address. Raises Unavailable if it does not come whole, soon and small."""
        import urllib3  # late: most notifications find their certificate here already

        pool = urllib3.PoolManager()
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        try:
            answer = pool.request("GET", url, redirect=False, retries=False, timeout=timeout, preload_content=False)
            data = answer.read(MOST_BYTES + 1)
            answer.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable("sns_unreachable", "Amazon SNS does not answer.") from error
        if answer.status != 200 or len(data) > MOST_BYTES:
            raise Unavailable("sns_unreachable", "Amazon SNS does not answer as it should.")
        return bytes(data)


class FeedbackWebhook:
    """Takes what SNS posts."""

    def __init__(self, verifier: Verifier, fetcher: Fetcher, queue: Queue) -> None:
        self._verifier = verifier
        self._fetcher = fetcher
        self._queue = queue

    def take(self, message: Mapping[str, Any], told_type: str = "") -> str:
        """Put a genuine notification into the queue, or confirm a subscription; what was done.

        A message that comes twice goes into the queue twice, and has its effect once. `told_type` is the header
        `x-amz-sns-message-type`, which has to agree. Raises as Verifier.verify, and Forbidden for a SubscribeURL that
        leads elsewhere.
        """
        self._verifier.verify(message)
        if told_type and told_type != message["Type"]:
            raise InvalidInput("unknown_notification_type", "The header says another Type than the body.", "Type")
        topic = {"topic": message["TopicArn"]}
        if message["Type"] == SUBSCRIBE:
            self._fetcher.get(require_subscribe_url(message["SubscribeURL"], message["TopicArn"]))
            logger.info("subscription confirmed", extra=topic)
            return "confirmed"
        if message["Type"] == UNSUBSCRIBE:
            logger.warning("subscription ended", extra=topic)
            return "noted"
        self._queue.put({name: message[name] for name in _PASSED_ON if message.get(name) is not None})
        return "taken"


def topics_of(text: str) -> frozenset[str]:
    """The topics of a list with commas."""
    return frozenset(part.strip() for part in text.split(",") if part.strip())
