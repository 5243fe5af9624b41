"""End User Messaging SMS in the test's hands: what it was told, what it accepted, and how it fails next."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError, ReadTimeoutError
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.session import get_session
from botocore.validate import ParamValidator

SERVICE = "pinpoint-sms-voice-v2"
Arguments = dict[str, Any]
Answering = Callable[[Arguments], dict[str, Any]]


@cache
def service() -> ServiceModel:
    """The API as botocore knows it."""
    return get_session().get_service_model(SERVICE)


@dataclass
class FakeSms:
    """Text messages as a sender sees them. Every request and every answer is held against botocore's service model.

    `answers` says what the operations answer that have no default here; `calls` are all of them, in their order.
    """

    accepted: list[Arguments] = field(default_factory=list)
    failing: list[str] = field(default_factory=list)
    calls: list[tuple[str, Arguments]] = field(default_factory=list)
    answers: dict[str, Answering] = field(default_factory=dict)
    opted_out: dict[str, set[str]] = field(default_factory=dict)
    """The numbers of each of AWS's opt-out lists."""

    def doubles(self) -> dict[str, Answering]:
        """What stands in for the service: every operation that it has."""
        return {f"{SERVICE}:{name}": partial(self._answer, name) for name in service().operation_names}

    def of(self, operation: str) -> list[Arguments]:
        """What an operation was told, call by call."""
        return [arguments for name, arguments in self.calls if name == operation]

    def to(self, number: str) -> list[Arguments]:
        """The accepted texts to a number."""
        return [text for text in self.accepted if text["DestinationPhoneNumber"] == number]

    def messages(self) -> list[str]:
        """Our message ids of the accepted texts."""
        return [text["Context"]["tidings_message"] for text in self.accepted]

    def event(self, kind: str, text: Arguments, **details: Any) -> dict[str, Any]:
        """A delivery event about an accepted text, such as `TEXT_DELIVERED`, as a configuration set publishes it."""
        return {
            "eventType": kind,
            "eventVersion": "1.0",
            "eventTimestamp": 1795251605000,
            "isFinal": kind not in ("TEXT_PENDING", "TEXT_QUEUED", "TEXT_SUCCESSFUL"),
            "originationPhoneNumber": text.get("OriginationIdentity", ""),
            "destinationPhoneNumber": text["DestinationPhoneNumber"],
            "isoCountryCode": "PL",
            "isInternationalSend": False,
            "mcc": "260",
            "mnc": "01",
            "messageId": self.provider_id(text),
            "messageRequestTimestamp": 1795251600000,
            "messageEncoding": "GSM",
            "messageType": text.get("MessageType", "TRANSACTIONAL"),
            "messageStatus": kind.partition("_")[2],
            "messageStatusDescription": kind.partition("_")[2].replace("_", " ").lower(),
            "context": dict(text.get("Context", {})),
            "totalMessageParts": 1,
            "totalMessagePrice": 0.03,
            "totalCarrierFee": 0.0,
            **details,
        }

    def provider_id(self, text: Arguments) -> str:
        """The id that the service answered with for an accepted text."""
        return f"sms-{[id(one) for one in self.accepted].index(id(text)) + 1}"

    def _answer(self, operation: str, arguments: Arguments) -> dict[str, Any]:
        model = service().operation_model(operation)
        require_taken(model, arguments)
        self.calls.append((operation, arguments))
        answer = self._defaults().get(operation) or self.answers.get(operation)
        assert answer, f"nobody says what {operation} answers: FakeSms.answers[{operation!r}]"
        answered = answer(arguments)
        if model.output_shape is not None:
            # Also an answer is what the service could have given: nothing that it lacks is built on.
            assert set(answered) <= set(model.output_shape.members), (operation, answered)
            report = ParamValidator().validate(answered, model.output_shape)
            assert not report.has_errors(), report.generate_report()
        return answered

    def _defaults(self) -> dict[str, Answering]:
        own = {
            "SendTextMessage": self._send,
            "PutOptedOutNumber": self._opt_out,
            "DeleteOptedOutNumber": self._opt_in,
        }
        return {name: answer for name, answer in own.items() if name not in self.answers}

    def _send(self, arguments: Arguments) -> dict[str, Any]:
        """Accept a text, or fail as `failing` says: an error code, `timeout` after accepting it, or `lost` before."""
        failure = self.failing.pop(0) if self.failing else ""
        if failure and failure != "timeout":
            fail(failure, "SendTextMessage")
        if not arguments.get("DryRun"):
            self.accepted.append(arguments)
        if failure == "timeout":
            fail("lost", "SendTextMessage")
        return {"MessageId": f"sms-{len(self.accepted)}"}

    def _opt_out(self, arguments: Arguments) -> dict[str, Any]:
        listed = self.opted_out.setdefault(arguments["OptOutListName"], set())
        listed.add(arguments["OptedOutNumber"])
        return {"OptOutListName": arguments["OptOutListName"], "OptedOutNumber": arguments["OptedOutNumber"]}

    def _opt_in(self, arguments: Arguments) -> dict[str, Any]:
        listed = self.opted_out.setdefault(arguments["OptOutListName"], set())
        if arguments["OptedOutNumber"] not in listed:
            fail("ResourceNotFoundException", "DeleteOptedOutNumber")
        listed.remove(arguments["OptedOutNumber"])
        return {"OptOutListName": arguments["OptOutListName"], "OptedOutNumber": arguments["OptedOutNumber"]}


_STATUS = {
    "ThrottlingException": 429,
    "TooManyRequestsException": 429,
    "InternalServerException": 500,
    "InternalFailure": 500,
    "AccessDeniedException": 403,
    "ServiceQuotaExceededException": 402,
    "ResourceNotFoundException": 404,
    "ConflictException": 409,
}


def fail(code: str, operation: str) -> None:
    """Fail with an error code of the service, or with no answer (`lost`)."""
    if code == "lost":
        raise ReadTimeoutError(endpoint_url="https://sms-voice")
    metadata = {"HTTPStatusCode": _STATUS.get(code, 400)}
    response = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": metadata}
    raise ClientError(response, operation)  # type: ignore[arg-type]


def require_taken(model: OperationModel, arguments: Arguments) -> None:
    """Refuse what botocore refuses, and what the service would: lengths, patterns and words of its model."""
    if model.input_shape is None:
        return
    report = ParamValidator().validate(arguments, model.input_shape)
    if report.has_errors():
        raise ParamValidationError(report=report.generate_report())
    refused = list(_refused(arguments, model.input_shape, model.input_shape.name))
    if refused:
        response = {
            "Error": {"Code": "ValidationException", "Message": "; ".join(refused)},
            "ResponseMetadata": {"HTTPStatusCode": 400},
        }
        raise ClientError(response, model.name)  # type: ignore[arg-type]


def _refused(value: Any, shape: Shape, place: str) -> list[str]:
    """What of a value the service would not take, beside what botocore looks at itself."""
    if shape.type_name == "structure":
        members = [(value[name], member, name) for name, member in shape.members.items() if name in value]
    elif shape.type_name == "list":
        members = [(one, shape.member, place) for one in value]
    elif shape.type_name == "map":
        keys = [(key, shape.key, place) for key in value]
        members = [*keys, *((one, shape.value, place) for one in value.values())]
    else:
        members = []
    found = [told for part, member, name in members for told in _refused(part, member, f"{place}.{name}")]
    told = shape.metadata
    size = value if shape.type_name in ("integer", "long", "float", "double") else None
    size = len(value) if size is None and hasattr(value, "__len__") else size
    if size is not None and not told.get("min", size) <= size <= told.get("max", size):
        found.append(f"{place} is too short, too long or out of range")
    if shape.type_name == "string":
        if told.get("pattern") and not re.fullmatch(told["pattern"], value):
            found.append(f"{place} does not match {told['pattern']}")
        if told.get("enum") and value not in told["enum"]:
            found.append(f"{place} is none of {told['enum']}")
    return found
