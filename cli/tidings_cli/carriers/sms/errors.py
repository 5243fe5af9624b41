"""The errors of End User Messaging SMS, with the reasons that its service model names."""

from __future__ import annotations

from tidings_cli.carriers.aws import AwsError


def invalid(message: str, reason: str, fields: list[str] | None = None) -> AwsError:
    """A call that is wrong by itself; `fields` are the members of the request that are."""
    details: dict[str, object] = {"Reason": reason}
    if fields:
        details["Fields"] = [{"Name": name, "Message": "The value is invalid."} for name in fields]
    return AwsError("ValidationException", message, 400, details)


def missing(kind: str, name: str) -> AwsError:
    """Something that the account does not have: a sender-id, phone-number, pool, configuration-set…"""
    message = f"Resource not found: {kind} {name}"
    return AwsError("ResourceNotFoundException", message, 400, {"ResourceType": kind, "ResourceId": name})


def conflict(message: str, reason: str, kind: str = "", name: str = "") -> AwsError:
    """A call that the state of things does not allow."""
    details: dict[str, object] = {"Reason": reason}
    if kind:
        details |= {"ResourceType": kind, "ResourceId": name}
    return AwsError("ConflictException", message, 400, details)


def throttled() -> AwsError:
    """Too many calls a second; nothing was sent."""
    return AwsError("ThrottlingException", "Rate exceeded", 400)
