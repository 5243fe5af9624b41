"""The API of End User Messaging SMS v2 (`pinpoint-sms-voice-v2`, JSON 1.0), as far as the carrier speaks it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from tidings.core.errors import TidingsError
from tidings_cli.carriers.aws import AwsError, caller_of
from tidings_cli.carriers.feedback import FeedbackLog
from tidings_cli.carriers.sms.messages import DEFAULT_NUMBER, INBOUND, SmsStore, sms_target
from tidings_cli.carriers.sms.parts import measure
from tidings_cli.carriers.web import Request, Response, json_response, read_request, respond

_TARGET = "PinpointSMSVoiceV2."
_PHONE = re.compile(r"\+?[1-9][0-9]{1,18}")
_SENDER_ID = re.compile(r"(?=.*[A-Za-z])(?!-)[A-Za-z0-9_-]{1,11}(?<!-)")
_KEYWORD = "KEYWORD_LOCAL"
_SENDER_IDS = (("TIDINGS", "PL"), ("TIDINGS", "GB"))
# Characters of the GSM alphabet, and UTF-16 units of any other.
_MAX_LENGTH = {"GSM": 1600, "Unicode": 630}
_CREATED = 1_700_000_000  # seconds; what the carrier offers was always there


class SmsApi:
    """A WSGI application that answers as `sms-voice.<region>.amazonaws.com` does."""

    def __init__(self, messages: SmsStore, log: FeedbackLog) -> None:
        self._messages = messages
        self._log = log
        self.operations: dict[str, Callable[[Request, dict[str, Any]], dict[str, Any]]] = {
            "SendTextMessage": self._send_text_message,
            "DescribePhoneNumbers": self._describe_phone_numbers,
            "DescribeSenderIds": self._describe_sender_ids,
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request; every error has the service's shape."""
        try:
            request = read_request(environ)
            response = json_response(self._operation(request)(request, request.json()))
        except AwsError as error:
            response = _error(error)
        except TidingsError as error:
            response = _error(_invalid(error.message, "CANNOT_PARSE"))
        return respond(response, start_response)

    def _operation(self, request: Request) -> Callable[[Request, dict[str, Any]], dict[str, Any]]:
        name = request.headers.get("x-amz-target", "").removeprefix(_TARGET)
        if name not in self.operations:
            known = ", ".join(self.operations)
            message = f"The local SMS carrier does not know {name or 'this'}; it knows {known}."
            raise _invalid(message, "UNKNOWN_OPERATION")
        return self.operations[name]

    def _send_text_message(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        fields = _read_send(body)
        configuration_set = fields["configuration_set"]
        if configuration_set is not None and self._log.topic(sms_target(configuration_set)) is None:
            raise _missing("configuration-set", configuration_set)
        if body.get("DryRun"):
            return {"MessageId": "00000000-0000-0000-0000-000000000000"}
        return {"MessageId": self._messages.send(fields).id}

    def _describe_phone_numbers(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        wanted = body.get("PhoneNumberIds") or ["phone-local"]
        for number in wanted:
            if number not in ("phone-local", _arn(request, "phone-number/phone-local"), DEFAULT_NUMBER):
                raise _missing("phone-number", str(number))
        topic = self._log.topic(INBOUND)
        about = {
            "PhoneNumberArn": _arn(request, "phone-number/phone-local"),
            "PhoneNumberId": "phone-local",
            "PhoneNumber": DEFAULT_NUMBER,
            "Status": "ACTIVE",
            "IsoCountryCode": "US",
            "MessageType": "TRANSACTIONAL",
            "NumberCapabilities": ["SMS"],
            "NumberType": "SIMULATOR",
            "MonthlyLeasingPrice": "0.00",
            "TwoWayEnabled": topic is not None,
            "SelfManagedOptOutsEnabled": True,
            "OptOutListName": "Default",
            "DeletionProtectionEnabled": False,
            "CreatedTimestamp": _CREATED,
        }
        return {"PhoneNumbers": [about | ({"TwoWayChannelArn": topic} if topic else {})]}

    def _describe_sender_ids(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        wanted = [(one.get("SenderId"), one.get("IsoCountryCode")) for one in body.get("SenderIds") or []]
        for pair in wanted:
            if pair not in _SENDER_IDS:
                raise _missing("sender-id", "/".join(map(str, pair)))
        found = [
            {
                "SenderIdArn": _arn(request, f"sender-id/{sender}/{country}"),
                "SenderId": sender,
                "IsoCountryCode": country,
                "MessageTypes": ["TRANSACTIONAL", "PROMOTIONAL"],
                "MonthlyLeasingPrice": "0.00",
                "DeletionProtectionEnabled": False,
                "Registered": False,
            }
            for sender, country in wanted or _SENDER_IDS
        ]
        return {"SenderIds": found}


def _read_send(body: dict[str, Any]) -> dict[str, Any]:
    """Check SendTextMessage. Raises a ValidationException."""
    phone, text = str(body.get("DestinationPhoneNumber") or ""), str(body.get("MessageBody") or "")
    kind, context = body.get("MessageType") or "TRANSACTIONAL", body.get("Context") or {}
    lifetime, length = body.get("TimeToLive", 5), measure(text)
    wrong = {
        "DestinationPhoneNumber": not _PHONE.fullmatch(phone),
        "MessageBody": not text.strip() or length.units > _MAX_LENGTH[length.encoding],
        "MessageType": kind not in ("TRANSACTIONAL", "PROMOTIONAL"),
        "Context": not isinstance(context, dict) or len(context) > 5,
        "TimeToLive": not isinstance(lifetime, int) or not 5 <= lifetime <= 259_200,
    }
    if fields := [name for name, bad in wrong.items() if bad]:
        raise _invalid(f"Invalid value of {', '.join(fields)}.", "FIELD_VALIDATION_FAILED", fields)
    return {
        "person": phone if phone.startswith("+") else f"+{phone}",
        "ours": _origin(str(body.get("OriginationIdentity") or DEFAULT_NUMBER)),
        "body": text,
        "message_type": kind,
        "keyword": str(body.get("Keyword") or _KEYWORD),
        "configuration_set": body.get("ConfigurationSetName"),
        "context": context,
    }


def _origin(identity: str) -> str:
    """The number or sender ID behind an OriginationIdentity. Raises ResourceNotFoundException."""
    if identity == "phone-local" or identity.endswith(":phone-number/phone-local"):
        return DEFAULT_NUMBER
    sender = identity.split(":sender-id/", 1)[-1].split("/")[0] if ":sender-id/" in identity else identity
    if _PHONE.fullmatch(sender):
        return sender if sender.startswith("+") else f"+{sender}"
    if _SENDER_ID.fullmatch(sender):
        return sender
    raise _missing("sender-id", identity)


def _arn(request: Request, resource: str) -> str:
    return f"arn:aws:sms-voice:{caller_of(request).region}:000000000000:{resource}"


def _invalid(message: str, reason: str, fields: list[str] | None = None) -> AwsError:
    details: dict[str, object] = {"Reason": reason}
    if fields:
        details["Fields"] = [{"Name": name, "Message": "The value is invalid."} for name in fields]
    return AwsError("ValidationException", message, 400, details)


def _missing(kind: str, name: str) -> AwsError:
    message = f"Resource not found: {kind} {name}"
    return AwsError("ResourceNotFoundException", message, 400, {"ResourceType": kind, "ResourceId": name})


def _error(error: AwsError) -> Response:
    body = {"__type": error.code, "Message": error.message, **error.details}
    return json_response(body, error.status, {"x-amzn-ErrorType": error.code})
