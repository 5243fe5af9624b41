"""The API of End User Messaging SMS v2 (`pinpoint-sms-voice-v2`, JSON 1.0), as far as the carrier speaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from tidings.core.errors import TidingsError
from tidings_cli.carriers.aws import AwsError, caller_of
from tidings_cli.carriers.feedback import FeedbackLog
from tidings_cli.carriers.sms import registrations as forms
from tidings_cli.carriers.sms.desk import SmsDesk
from tidings_cli.carriers.sms.errors import invalid, missing
from tidings_cli.carriers.sms.messages import sms_target
from tidings_cli.carriers.sms.numbers import CREATED, POOL
from tidings_cli.carriers.sms.sending import PHONE, Lost, TextSending
from tidings_cli.carriers.web import Request, Response, json_response, read_request, respond

_TARGET = "PinpointSMSVoiceV2."
Body = dict[str, Any]
Operation = Callable[[Request, Body], Body]


class SmsApi:
    """A WSGI application that answers as `sms-voice.<region>.amazonaws.com` does."""

    def __init__(self, desk: SmsDesk, log: FeedbackLog) -> None:
        self._numbers = desk.numbers
        self._senders = desk.senders
        self._registrations = desk.registrations
        self._stopped = desk.opt_outs
        self._log = log
        self._sending = TextSending(desk.messages, desk.numbers, desk.senders, desk.opt_outs, log, desk.faults)
        self.operations: dict[str, Operation] = {
            "SendTextMessage": lambda _, body: self._sending.send(body),
            "DescribeConfigurationSets": self._describe_configuration_sets,
            "DescribePhoneNumbers": self._describe_phone_numbers,
            "UpdatePhoneNumber": self._update_phone_number,
            "DescribePools": self._describe_pools,
            "RequestSenderId": self._request_sender_id,
            "DescribeSenderIds": self._describe_sender_ids,
            "ReleaseSenderId": self._release_sender_id,
            "DescribeOptOutLists": self._describe_opt_out_lists,
            "PutOptedOutNumber": self._put_opted_out_number,
            "DeleteOptedOutNumber": self._delete_opted_out_number,
            "DescribeOptedOutNumbers": self._describe_opted_out_numbers,
            "CreateRegistration": self._create_registration,
            "PutRegistrationFieldValue": self._put_registration_field_value,
            "CreateRegistrationAssociation": self._create_registration_association,
            "SubmitRegistrationVersion": self._submit_registration_version,
            "CreateRegistrationVersion": self._create_registration_version,
            "DescribeRegistrations": self._describe_registrations,
            "DescribeRegistrationVersions": self._describe_registration_versions,
            "DeleteRegistration": self._delete_registration,
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request; every error has the service's shape."""
        try:
            request = read_request(environ)
            response = json_response(self._operation(request)(request, request.json()))
        except Lost as lost:
            lost.wait()
            response = Response(200, b"", "application/x-amz-json-1.0", cut_short=True)
        except AwsError as error:
            response = _error(error)
        except TidingsError as error:
            response = _error(invalid(error.message, "CANNOT_PARSE"))
        return respond(response, start_response)

    def _operation(self, request: Request) -> Operation:
        name = request.headers.get("x-amz-target", "").removeprefix(_TARGET)
        if name not in self.operations:
            known = ", ".join(self.operations)
            message = f"The local SMS carrier does not know {name or 'this'}; it knows {known}."
            raise invalid(message, "UNKNOWN_OPERATION")
        return self.operations[name]

    def _describe_configuration_sets(self, request: Request, body: Body) -> Body:
        known = [target.removeprefix("sms:") for target in self._log.targets() if target.startswith("sms:")]
        wanted = [str(name).rpartition(":configuration-set/")[2] for name in body.get("ConfigurationSetNames") or known]
        for name in wanted:
            if name not in known:
                raise missing("configuration-set", name)
        return {"ConfigurationSets": [self._configuration_set(request, name) for name in wanted]}

    def _configuration_set(self, request: Request, name: str) -> Body:
        topic = self._log.topic(sms_target(name))
        told = {
            "EventDestinationName": "events",
            "Enabled": True,
            "MatchingEventTypes": ["ALL"],
            "SnsDestination": {"TopicArn": topic},
        }
        return {
            "ConfigurationSetArn": _arn(request, f"configuration-set/{name}"),
            "ConfigurationSetName": name,
            "EventDestinations": [told],
            "CreatedTimestamp": CREATED,
        }

    def _describe_phone_numbers(self, request: Request, body: Body) -> Body:
        wanted = body.get("PhoneNumberIds")
        phones = [self._numbers.need(str(one)) for one in wanted] if wanted else self._numbers.all()
        shown = [self._numbers.describe(phone, _arn(request, f"phone-number/{phone.id}")) for phone in phones]
        return {"PhoneNumbers": _filtered(shown, body, _OF_NUMBERS)}

    def _update_phone_number(self, request: Request, body: Body) -> Body:
        phone = self._numbers.update(body)
        return self._numbers.describe(phone, _arn(request, f"phone-number/{phone.id}"))

    def _describe_pools(self, request: Request, body: Body) -> Body:
        wanted = [str(one).rpartition(":pool/")[2] for one in body.get("PoolIds") or [POOL]]
        for pool in wanted:
            if not self._numbers.members(pool):
                raise missing("pool", pool)
        return {"Pools": [self._numbers.describe_pool(pool, _arn(request, f"pool/{pool}")) for pool in wanted]}

    def _request_sender_id(self, request: Request, body: Body) -> Body:
        return _named(request, self._senders.request(body), "RegistrationId")

    def _describe_sender_ids(self, request: Request, body: Body) -> Body:
        wanted = body.get("SenderIds")
        found = self._senders.all()
        if wanted:
            found = [self._senders.need(str(one.get("SenderId")), str(one.get("IsoCountryCode"))) for one in wanted]
        return {"SenderIds": _filtered([_named(request, one, "Tags") for one in found], body, _OF_SENDER_IDS)}

    def _release_sender_id(self, request: Request, body: Body) -> Body:
        name, country = str(body.get("SenderId") or ""), str(body.get("IsoCountryCode") or "")
        return _named(request, self._senders.release(name, country), "Tags", "DeletionProtectionEnabled")

    def _describe_opt_out_lists(self, request: Request, body: Body) -> Body:
        wanted = [self._stopped.need(str(name)) for name in body.get("OptOutListNames") or self._stopped.lists()]
        return {"OptOutLists": [_listed(request, name) | {"CreatedTimestamp": CREATED} for name in wanted]}

    def _put_opted_out_number(self, request: Request, body: Body) -> Body:
        name = self._stopped.need(str(body.get("OptOutListName") or ""))
        return _listed(request, name) | self._stopped.put(name, _number(body))

    def _delete_opted_out_number(self, request: Request, body: Body) -> Body:
        name = self._stopped.need(str(body.get("OptOutListName") or ""))
        return _listed(request, name) | self._stopped.delete(name, _number(body))

    def _describe_opted_out_numbers(self, request: Request, body: Body) -> Body:
        name = self._stopped.need(str(body.get("OptOutListName") or ""))
        found = self._stopped.all(name)
        wanted = body.get("OptedOutNumbers")
        for number in wanted or ():
            if not self._stopped.has(name, number):
                raise missing("opted-out-number", number)
        shown = [one for one in found if not wanted or one["OptedOutNumber"] in wanted]
        told = {"end-user-opted-out": "EndUserOptedOut"}
        return _listed(request, name) | {"OptedOutNumbers": _filtered(shown, body, told)}

    def _create_registration(self, request: Request, body: Body) -> Body:
        shown = self._registration(request, self._registrations.create(body))
        return {key: value for key, value in shown.items() if key not in _NOT_WHEN_CREATED}

    def _put_registration_field_value(self, request: Request, body: Body) -> Body:
        record = self._registrations.put_field(body)
        path = str(body["FieldPath"])
        about: Body = {"RegistrationArn": _of(request, record), "RegistrationId": record["id"], "FieldPath": path}
        given: Body = record["versions"][-1]["fields"][path]
        return about | {"VersionNumber": len(record["versions"])} | given

    def _create_registration_association(self, request: Request, body: Body) -> Body:
        record, sender = self._registrations.associate(body)
        return {
            "RegistrationArn": _of(request, record),
            "RegistrationId": record["id"],
            "RegistrationType": record["type"],
            "ResourceArn": _named(request, sender)["SenderIdArn"],
            "ResourceId": sender["SenderId"],
            "ResourceType": "sender-id",
            "IsoCountryCode": sender["IsoCountryCode"],
        }

    def _submit_registration_version(self, request: Request, body: Body) -> Body:
        record = self._registrations.submit(str(body.get("RegistrationId") or ""))
        return self._version(request, record) | {"AwsReview": bool(body.get("AwsReview"))}

    def _create_registration_version(self, request: Request, body: Body) -> Body:
        return self._version(request, self._registrations.create_version(str(body.get("RegistrationId") or "")))

    def _describe_registrations(self, request: Request, body: Body) -> Body:
        wanted = body.get("RegistrationIds")
        found = [self._registrations.need(str(one)) for one in wanted] if wanted else self._registrations.all()
        told = {"registration-type": "RegistrationType", "registration-status": "RegistrationStatus"}
        return {"Registrations": _filtered([self._registration(request, record) for record in found], body, told)}

    def _describe_registration_versions(self, request: Request, body: Body) -> Body:
        record = self._registrations.need(str(body.get("RegistrationId") or ""))
        numbers = [int(number) for number in body.get("VersionNumbers") or range(1, len(record["versions"]) + 1)]
        if any(not 1 <= number <= len(record["versions"]) for number in numbers):
            raise invalid("There is no such version", "UNKNOWN_REGISTRATION_VERSION", ["VersionNumbers"])
        # The newest first, as the service lists them.
        shown = [forms.describe_version(record, number) for number in sorted(numbers, reverse=True)]
        about = {"RegistrationArn": _of(request, record), "RegistrationId": record["id"]}
        told = {"registration-version-status": "RegistrationVersionStatus"}
        return about | {"RegistrationVersions": _filtered(shown, body, told)}

    def _delete_registration(self, request: Request, body: Body) -> Body:
        return self._registration(request, self._registrations.delete(str(body.get("RegistrationId") or "")))

    def _registration(self, request: Request, record: Mapping[str, Any]) -> Body:
        return forms.describe(dict(record), _of(request, record))

    def _version(self, request: Request, record: Mapping[str, Any]) -> Body:
        shown = forms.describe_version(dict(record), len(record["versions"]))
        return {"RegistrationArn": _of(request, record), "RegistrationId": record["id"], **shown}


_NOT_WHEN_CREATED = frozenset({"ApprovedVersionNumber", "LatestDeniedVersionNumber"})
_OF_NUMBERS = {
    "status": "Status",
    "iso-country-code": "IsoCountryCode",
    "message-type": "MessageType",
    "number-capability": "NumberCapabilities",
    "number-type": "NumberType",
    "two-way-enabled": "TwoWayEnabled",
    "self-managed-opt-outs-enabled": "SelfManagedOptOutsEnabled",
    "opt-out-list-name": "OptOutListName",
    "deletion-protection-enabled": "DeletionProtectionEnabled",
    "two-way-channel-arn": "TwoWayChannelArn",
}
_OF_SENDER_IDS = {
    "sender-id": "SenderId",
    "iso-country-code": "IsoCountryCode",
    "message-type": "MessageTypes",
    "deletion-protection-enabled": "DeletionProtectionEnabled",
    "registered": "Registered",
}


def _filtered(shown: Sequence[Body], body: Body, members: Mapping[str, str]) -> list[Body]:
    """Those that meet every filter: any of its values is enough. Raises a ValidationException."""
    left = list(shown)
    for one in body.get("Filters") or ():
        name, values = str(one.get("Name")), {str(value).lower() for value in one.get("Values") or ()}
        if name not in members:
            raise invalid(f"There is no filter {name}", "INVALID_FILTER_VALUES", ["Filters"])
        left = [entry for entry in left if values & _words(entry.get(members[name]))]
    return left


def _words(value: Any) -> set[str]:
    return {str(one).lower() for one in (value if isinstance(value, list) else [value])}


def _named(request: Request, record: Mapping[str, Any], *without: str) -> Body:
    arn = _arn(request, f"sender-id/{record['SenderId']}/{record['IsoCountryCode']}")
    return {"SenderIdArn": arn} | {key: value for key, value in record.items() if key not in without}


def _listed(request: Request, name: str) -> Body:
    return {"OptOutListArn": _arn(request, f"opt-out-list/{name}"), "OptOutListName": name}


def _number(body: Body) -> str:
    number = str(body.get("OptedOutNumber") or "")
    if not PHONE.fullmatch(number):
        raise invalid("Invalid value of OptedOutNumber.", "FIELD_VALIDATION_FAILED", ["OptedOutNumber"])
    return number if number.startswith("+") else f"+{number}"


def _of(request: Request, record: Mapping[str, Any]) -> str:
    return _arn(request, f"registration/{record['id']}")


def _arn(request: Request, resource: str) -> str:
    return f"arn:aws:sms-voice:{caller_of(request).region}:000000000000:{resource}"


def _error(error: AwsError) -> Response:
    body = {"__type": error.code, "Message": error.message, **error.details}
    return json_response(body, error.status, {"x-amzn-ErrorType": error.code})
