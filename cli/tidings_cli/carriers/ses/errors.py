"""The errors of SESv2, with the names and statuses of botocore's service model."""

from __future__ import annotations

from tidings_cli.carriers.aws import AwsError


class BadRequest(AwsError):
    """The input is invalid."""

    def __init__(self, message: str) -> None:
        super().__init__("BadRequestException", message, 400)


class MessageRejected(AwsError):
    """The message cannot be sent: its content or its sender."""

    def __init__(self, message: str) -> None:
        super().__init__("MessageRejected", message, 400)


class TooManyRequests(AwsError):
    """More than the sending rate; a definite refusal."""

    def __init__(self, message: str = "Maximum sending rate exceeded.") -> None:
        super().__init__("TooManyRequestsException", message, 429)


class NotFound(AwsError):
    """The configuration set, identity or suppressed address does not exist."""

    def __init__(self, message: str) -> None:
        super().__init__("NotFoundException", message, 404)


class AlreadyExists(AwsError):
    """It was created before."""

    def __init__(self, message: str) -> None:
        super().__init__("AlreadyExistsException", message, 400)


class UnknownOperation(AwsError):
    """Not an operation of this carrier."""

    def __init__(self, message: str) -> None:
        super().__init__("UnknownOperationException", message, 404)
