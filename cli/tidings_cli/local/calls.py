"""Which IAM action on which resource an AWS request asks for, read from the request itself.

The names are those of the Service Authorization Reference, since that is what a policy is written in:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any
from urllib.parse import parse_qs, unquote

from tidings_cli.local.environment import ACCOUNT, REGION
from tidings_cli.local.exchange import Request

Json = dict[str, Any]

CREDENTIAL = re.compile(r"Credential=[^/]+/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
APP = re.compile(r"(?:^|\s)app/(?P<name>\S+)")
STATEMENT = re.compile(
    r"""^\s*(?P<verb>INSERT\s+INTO|UPDATE|DELETE\s+FROM|EXISTS|SELECT\b.*?\bFROM)\s+
        "?(?P<table>[\w.-]+?)"?(?:\."?(?P<index>[\w.-]+)"?)?(?:\s|$)""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)

# Operations whose permission has another name than they have.
RENAMED = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sns:PublishBatch": "sns:Publish",
    "lambda:Invoke": "lambda:InvokeFunction",
}

TRANSACTED = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One permission that a request needs. `resource` is `*` where the request names none."""

    action: str
    resource: str


def function_of(request: Request) -> str:
    """The function that sent the request; empty if it does not say."""
    match = APP.search(request.header("user-agent"))
    return match["name"] if match else ""


def service_of(request: Request) -> str:
    """The service that the request was signed for, as IAM calls it; empty if it was not signed."""
    match = CREDENTIAL.search(request.header("authorization"))
    return match["service"] if match else ""


def calls_in(request: Request) -> list[Call]:
    """The permissions that the request needs, each once."""
    service = service_of(request)
    find = READERS.get(service, _other)
    return list(dict.fromkeys(find(service, request)))


def _arn(service: str, resource: str) -> str:
    return resource if resource.startswith("arn:") else f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def _json(request: Request) -> Json:
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _operation(request: Request) -> str:
    """The operation of the two JSON protocols: what stands after the last dot of X-Amz-Target."""
    return request.header("x-amz-target").rpartition(".")[2]


def _call(service: str, operation: str, resource: str) -> Call:
    action = f"{service}:{operation}"
    return Call(RENAMED.get(action, action), resource)


def _dynamodb(service: str, request: Request) -> Iterator[Call]:
    operation, body = _operation(request), _json(request)
    if operation in ("TransactWriteItems", "TransactGetItems"):
        for item in body.get("TransactItems", []):
            for kind, entry in item.items():
                yield _call(service, TRANSACTED[kind], _table(entry["TableName"]))
    elif operation in ("BatchGetItem", "BatchWriteItem"):
        for name in body.get("RequestItems", {}):
            yield _call(service, operation, _table(name))
    elif operation in ("BatchExecuteStatement", "ExecuteStatement", "ExecuteTransaction"):
        for entry in body.get("Statements") or body.get("TransactStatements") or [body]:
            yield _statement(entry.get("Statement", ""))
    else:
        yield _call(
            service, operation, _table(body["TableName"], body.get("IndexName")) if "TableName" in body else "*"
        )


def _table(name: str, index: str | None = None) -> str:
    arn = _arn("dynamodb", name if name.startswith("arn:") else f"table/{name}")
    return f"{arn}/index/{index}" if index else arn


def _statement(text: str) -> Call:
    match = STATEMENT.match(text)
    if match is None:
        return Call("dynamodb:PartiQLUnknown", "*")
    verb = match["verb"].split()[0].capitalize()
    return Call(f"dynamodb:PartiQL{'Select' if verb == 'Exists' else verb}", _table(match["table"], match["index"]))


def _states(service: str, request: Request) -> Iterator[Call]:
    operation, body = _operation(request), _json(request)
    if operation == "CreateStateMachine":
        yield _call(service, operation, _arn(service, f"stateMachine:{body.get('name', '')}"))
        if "roleArn" in body:
            yield Call("iam:PassRole", body["roleArn"])
        # Tags given at creation need the permission to tag as well.
        if body.get("tags"):
            yield _call(service, "TagResource", _arn(service, f"stateMachine:{body.get('name', '')}"))
        return
    named = [body[key] for key in ("stateMachineArn", "executionArn", "resourceArn", "activityArn") if key in body]
    yield _call(service, operation, named[0] if named else "*")


def _sqs(service: str, request: Request) -> Iterator[Call]:
    body = _json(request)
    queue = body.get("QueueUrl", "").rstrip("/").rpartition("/")[2] or body.get("QueueName", "")
    yield _call(service, _operation(request), _arn(service, queue) if queue else "*")


def _sns(service: str, request: Request) -> Iterator[Call]:
    fields = {key: values[0] for key, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
    named = fields.get("TopicArn") or fields.get("TargetArn") or fields.get("ResourceArn") or "*"
    yield _call(service, fields.get("Action", ""), named)


def _lambda(service: str, request: Request) -> Iterator[Call]:
    match = re.match(r"^/2015-03-31/functions/([^/]+)/invocations$", request.path)
    if match is None:
        yield from _other(service, request)
        return
    name = unquote(match[1])
    yield _call(service, "Invoke", _arn(service, f"function:{name}"))


def _ses(service: str, request: Request) -> Iterator[Call]:
    """SESv2. Identities are resources of their own; the account's suppression list is none."""
    method, path, body = request.method, request.path.removeprefix("/v2/email/"), _json(request)
    if path == "outbound-emails":
        yield from _ses_send(service, body)
    elif match := re.fullmatch(r"identities(?:/(?P<name>[^/]+)(?P<rest>/mail-from)?)?", path):
        name = unquote(match["name"] or "") or body.get("EmailIdentity", "")
        yield _call(service, IDENTITIES[method, match["rest"] or ""], _arn(service, f"identity/{name}"))
    elif match := re.fullmatch(r"suppression/addresses(?P<one>/[^/]+)?", path):
        yield _call(service, SUPPRESSED[method, bool(match["one"])], "*")
    else:
        yield from _other(service, request)


def _ses_send(service: str, body: Json) -> Iterator[Call]:
    content = body.get("Content", {})
    operation = next((name for key, name in SENDS.items() if key in content), "SendEmail")
    sender = parseaddr(body.get("FromEmailAddress", ""))[1]
    domain = sender.rpartition("@")[2]
    yield _call(
        service, operation, body.get("FromEmailAddressIdentityArn") or _arn(service, f"identity/{domain or '*'}")
    )
    if body.get("ConfigurationSetName"):
        yield _call(service, operation, _arn(service, f"configuration-set/{body['ConfigurationSetName']}"))


SENDS = {"Raw": "SendRawEmail", "Template": "SendTemplatedEmail"}
IDENTITIES = {
    ("POST", ""): "CreateEmailIdentity",
    ("GET", ""): "GetEmailIdentity",
    ("DELETE", ""): "DeleteEmailIdentity",
    ("PUT", "/mail-from"): "PutEmailIdentityMailFromAttributes",
}
SUPPRESSED = {
    ("GET", False): "ListSuppressedDestinations",
    ("PUT", False): "PutSuppressedDestination",
    ("GET", True): "GetSuppressedDestination",
    ("DELETE", True): "DeleteSuppressedDestination",
}


def _sms(service: str, request: Request) -> Iterator[Call]:
    """End User Messaging: each operation is granted on one kind of resource, those that name none on all of it."""
    operation, body = _operation(request), _json(request)
    kind, member = SMS_RESOURCES.get(operation, ("", ""))
    if operation == "SendTextMessage":
        yield _call(service, operation, _arn(service, _origin(str(body.get("OriginationIdentity") or ""))))
        if body.get("ConfigurationSetName"):
            yield _call(service, operation, _arn(service, f"configuration-set/{body['ConfigurationSetName']}"))
    elif operation == "RequestSenderId":  # the permission takes no resource, that for its tags does
        yield _call(service, operation, "*")
        if body.get("Tags"):
            name = f"sender-id/{body.get('SenderId')}/{body.get('IsoCountryCode')}"
            yield _call(service, "TagResource", _arn(service, name))
    elif kind:
        given = body.get(member)
        named = given[0] if isinstance(given, list) and given else given
        if isinstance(named, dict):
            named = f"{named.get('SenderId')}/{named.get('IsoCountryCode')}"
        elif kind == "sender-id" and named:
            named = f"{named}/{body.get('IsoCountryCode')}"
        resource = str(named or "*")
        yield _call(
            service, operation, _arn(service, resource if resource.startswith("arn:") else f"{kind}/{resource}")
        )
    else:
        yield _call(service, operation, "*")


def _origin(identity: str) -> str:
    """What a text message leaves from: a number by itself or its id, a pool, or a name, which is one in any country."""
    if identity.startswith("arn:"):
        return identity
    if identity.startswith("pool-"):
        return f"pool/{identity}"
    if not identity.lstrip("+").isdigit():
        return f"sender-id/{identity}/*" if identity else "phone-number/*"
    return f"phone-number/{identity}"


# The kind of resource that an operation's permission is about, and the member of the request that names it.
SMS_RESOURCES = {
    "DescribePhoneNumbers": ("phone-number", "PhoneNumberIds"),
    "UpdatePhoneNumber": ("phone-number", "PhoneNumberId"),
    "DescribePools": ("pool", "PoolIds"),
    "DescribeSenderIds": ("sender-id", "SenderIds"),
    "ReleaseSenderId": ("sender-id", "SenderId"),
    "DescribeRegistrations": ("registration", "RegistrationIds"),
    "PutOptedOutNumber": ("opt-out-list", "OptOutListName"),
    "DeleteOptedOutNumber": ("opt-out-list", "OptOutListName"),
    "DescribeOptedOutNumbers": ("opt-out-list", "OptOutListName"),
}


def _other(service: str, request: Request) -> Iterator[Call]:
    """A service that nothing is known of: the operation where the protocol names it, else method and path."""
    operation = _operation(request) or f"{request.method} {request.path}"
    arns = [value for value in _json(request).values() if isinstance(value, str) and value.startswith("arn:")]
    yield _call(service or "unsigned", operation, arns[0] if arns else "*")


READERS: dict[str, Callable[[str, Request], Iterator[Call]]] = {
    "dynamodb": _dynamodb,
    "states": _states,
    "sqs": _sqs,
    "sns": _sns,
    "lambda": _lambda,
    "ses": _ses,
    "sms-voice": _sms,
}
