"""How the carriers tell what became of a message: over SNS, as AWS does."""

from __future__ import annotations

from collections.abc import Callable

import boto3


def publisher() -> Callable[[str, str, str | None], None]:
    """A function that publishes a message (topic ARN, text, subject) in the engine, from any thread."""
    sns = boto3.client("sns")

    def publish(topic_arn: str, message: str, subject: str | None) -> None:
        subject_argument = {} if subject is None else {"Subject": subject}
        sns.publish(TopicArn=topic_arn, Message=message, **subject_argument)

    return publish
