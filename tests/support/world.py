"""All of Tidings in one process: the real handlers over moto, with time, SES and the machines in the test's hands."""

from __future__ import annotations

import base64
import importlib.util
import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
from botocore.exceptions import ClientError, ReadTimeoutError
from moto.dynamodb.models import dynamodb_backends
from moto.sqs.models import sqs_backends

from tests.support.identities import FakeIdentities
from tests.support.machine import Execution
from tests.support.meter import Meter
from tests.support.numbers import FakeNumbers
from tests.support.recorder import Recorder, partiql_double
from tests.support.template import root_stack, table_variables, tables
from tests.support.texts import FakeSms
from tests.support.units import Table
from tidings.accounts.model import KeyKind
from tidings.accounts.service import AccountService
from tidings.accounts.store import DynamoKeyStore, DynamoWorkspaceStore
from tidings.automations.webhooks import gateway as webhook_gateway
from tidings.core import clock as clocks
from tidings.core.settings import Settings
from tidings.core.store import Database
from tidings.email import webhook
from tidings.sms.number_store import NUMBER, NumberItem

ROOT = Path(__file__).parents[2]
REGION = "us-east-1"
ACCOUNT = "123456789012"
WORKSPACE = "acme"
PUBLIC_URL = "https://mail.acme.example"
OUR_NUMBER = "+48732100200"
THEIR_NUMBER = "+48600100200"
# What text messages leave from: a number that receives answers, and a name for Poland.
SMS_SETUP = {
    "numbers": {OUR_NUMBER: {"country": "PL", "two_way": True, "self_managed": True}},
    "sender_ids": {"ACME": {"PL": "active"}},
}
START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
FUNCTIONS = {name: f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}" for name in (
    "send_email", "send_sms", "branch", "check_suppression", "wait_for", "call_webhook", "act")}  # fmt: skip
LATER = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:deliver-later"
AGENDA = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:agenda"
SENDER_IDS = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:sender-ids"
MAIL_TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:tidings-mail-inbound"
INBOUND_TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:tidings-sms-inbound"
FEEDBACK_TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:tidings-feedback"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/machines"


@cache
def table_definitions() -> list[dict[str, Any]]:
    """The template's tables, read once."""
    return tables()


@cache
def later_machine() -> dict[str, Any]:
    """The machine that waits for instants, as the template has it; it calls `deliver` or `wake_conversations`."""
    definition: str = root_stack().resources["DeliverLaterMachine"]["Properties"]["DefinitionString"]["Fn::Sub"]
    for logical, name in (("DeliverFunction", "deliver"), ("WakeConversationsFunction", "wake_conversations")):
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
        definition = definition.replace(f"${{{logical}.Arn}}", arn)
    machine: dict[str, Any] = json.loads(definition)
    return machine


@cache
def sender_ids_machine() -> dict[str, Any]:
    """The machine in which requests for sender IDs wait, as the template has it."""
    definition: str = root_stack().resources["SenderIdsMachine"]["Properties"]["DefinitionString"]["Fn::Sub"]
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:review_sender_ids"
    machine: dict[str, Any] = json.loads(definition.replace("${ReviewSenderIdsFunction.Arn}", arn))
    return machine


@cache
def agenda_machine() -> dict[str, Any]:
    """The machine that waits for people's dates, as the template has it."""
    definition: str = root_stack().resources["AgendaMachine"]["Properties"]["DefinitionString"]["Fn::Sub"]
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:agenda"
    machine: dict[str, Any] = json.loads(definition.replace("${AgendaFunction.Arn}", arn))
    return machine


@cache
def variables() -> dict[str, str]:
    """The variables that name the tables, read once."""
    return table_variables()


@dataclass
class FakeSes:
    """SES as a sender sees it: what it accepted, and how it fails next."""

    accepted: list[dict[str, Any]] = field(default_factory=list)
    failing: list[str] = field(default_factory=list)

    def send_email(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Accept a mail, or fail as `failing` says: an error code, `timeout` after accepting it, or `lost` before."""
        failure = self.failing.pop(0) if self.failing else ""
        if failure and failure != "timeout":
            self._fail(failure)
        self.accepted.append(arguments)
        if failure == "timeout":
            raise ReadTimeoutError(endpoint_url="https://email")
        return {"MessageId": f"ses-{len(self.accepted)}"}

    def messages(self) -> list[str]:
        """Our message ids of the accepted mails."""
        return [_tags(mail)["tidings_message"] for mail in self.accepted]

    def to(self, address: str) -> list[dict[str, Any]]:
        """The accepted mails to an address."""
        return [mail for mail in self.accepted if mail["Destination"]["ToAddresses"] == [address]]

    def event(self, kind: str, mail: dict[str, Any], **details: Any) -> dict[str, Any]:
        """An SES event about an accepted mail, as event publishing sends it."""
        number = self.accepted.index(mail) + 1
        name = {"DeliveryDelay": "deliveryDelay", "Rendering Failure": "failure"}.get(kind, kind.lower())
        return {
            "eventType": kind,
            "mail": {
                "timestamp": "2026-11-21T09:00:00.000Z",
                "messageId": f"ses-{number}",
                "source": mail["FromEmailAddress"],
                "destination": mail["Destination"]["ToAddresses"],
                "tags": {tag: [value] for tag, value in _tags(mail).items()},
            },
            name: {"timestamp": "2026-11-21T09:00:05.000Z", **details} if kind != "Send" else {},
        }

    def _fail(self, failure: str) -> None:
        if failure == "lost":
            raise ReadTimeoutError(endpoint_url="https://email")
        status = 500 if failure == "InternalFailure" else 429 if failure == "TooManyRequestsException" else 400
        response = {"Error": {"Code": failure, "Message": failure}, "ResponseMetadata": {"HTTPStatusCode": status}}
        raise ClientError(response, "SendEmail")  # type: ignore[arg-type]


def _tags(mail: dict[str, Any]) -> dict[str, str]:
    return {tag["Name"]: tag["Value"] for tag in mail["EmailTags"]}


_opened: list[tuple[bytes, dict[str, str], str]] = []


class World:
    """The system under test and what a test does to it."""

    def __init__(self, recorder: Recorder, monkeypatch: Any) -> None:
        self.recorder = recorder
        self.ses = FakeSes()
        self.sms = FakeSms()
        self.numbers = FakeNumbers(self.sms, START)
        self.numbers.add(OUR_NUMBER, TwoWayEnabled=True, TwoWayChannelArn=INBOUND_TOPIC, SelfManagedOptOutsEnabled=True)
        self.identities = FakeIdentities()
        self.names: dict[str, list[str]] = {"127.0.0.1": ["127.0.0.1"]}
        self.now = START
        self.running = ""
        self.executions: dict[str, Execution] = {}
        self.begin_execution: Callable[[dict[str, Any], str, str], Execution] = Execution.begin
        self.settled: set[str] = set()  # executions whose end somebody was told of
        self._modules: dict[str, ModuleType] = {}
        self._seen: set[tuple[str, str]] = set()
        self._sequence = 0
        self._monkeypatch = monkeypatch
        self.dynamodb = boto3.client("dynamodb", region_name=REGION)
        self.sqs = boto3.client("sqs", region_name=REGION)
        self.stepfunctions = boto3.client("stepfunctions", region_name=REGION)
        self.machines: dict[str, dict[str, Any]] = {
            LATER: later_machine(),
            SENDER_IDS: sender_ids_machine(),
            AGENDA: agenda_machine(),
        }
        self.started: dict[str, str] = {}
        self.start_failures: list[str] = []
        self.delayed = 0  # seconds that the last message is not to be seen for
        self._build()

    # --- setting up --------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.recorder.meter = Meter({table["TableName"]: Table.of(table) for table in table_definitions()})
        self.queues = queues = {
            name: f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"
            for name in ("starts", "aside", "erasures", "deliveries", "feedback", "sms_events", "jobs")
        }
        for name in queues:
            sqs_backends[ACCOUNT][REGION].create_queue(name)
        environment = {
            **variables(),
            "QUEUE_STARTS_URL": queues["starts"],
            "QUEUE_SET_ASIDE_URL": queues["aside"],
            "QUEUE_ERASURES_URL": queues["erasures"],
            "QUEUE_JOBS_URL": queues["jobs"],
            "QUEUE_DELIVERIES_URL": queues["deliveries"],
            "MACHINE_DELIVER_LATER_ARN": LATER,
            "MACHINE_SENDER_IDS_ARN": SENDER_IDS,
            "MACHINE_AGENDA_ARN": AGENDA,
            "QUEUE_FEEDBACK_URL": queues["feedback"],
            "QUEUE_SMS_EVENTS_URL": queues["sms_events"],
            "FEEDBACK_TOPIC_ARNS": f"{FEEDBACK_TOPIC},",
            "WEBHOOK_TRUSTED_HOSTS": "127.0.0.1:*,",
            "DNS_LOOKUPS": "off",
            "SES_CONFIGURATION_SET_MARKETING": "marketing-mails",
            "SES_CONFIGURATION_SET_TRANSACTIONAL": "transactional-mails",
            "SMS_CONFIGURATION_SET": "texts",
            "SMS_INBOUND_TOPIC_ARN": INBOUND_TOPIC,
            "MACHINES_ROLE_ARN": ROLE,
            "MACHINE_PREFIX": "tidings-",
            **{f"FUNCTION_{name.upper()}_ARN": arn for name, arn in FUNCTIONS.items()},
        }
        for name, value in environment.items():
            self._monkeypatch.setenv(name, value)
        self._monkeypatch.setattr(clocks.SystemClock, "now", lambda _: self.now)
        self._monkeypatch.setattr(clocks.SystemClock, "sleep", lambda _, seconds: self._sleep(seconds))
        # What webhooks call by a name is looked up here, and nowhere else.
        self._monkeypatch.setattr(webhook_gateway, "_resolved", lambda host, _: self.names.get(host, []))
        # Whatever SNS says its certificate is: nobody has the key of this one any more.
        certificate = (ROOT / "tests" / "support" / "sns-example.pem").read_bytes()
        self._monkeypatch.setattr(webhook.HttpsFetcher, "get", lambda _, url: certificate)
        self.recorder.doubles |= {
            "dynamodb:BatchExecuteStatement": partiql_double(boto3.client("dynamodb", region_name=REGION)),
            "sesv2:SendEmail": self.ses.send_email,
            **self.sms.doubles(),
            **self.identities.doubles(),
            "stepfunctions:CreateStateMachine": self._create_machine,
            "stepfunctions:DeleteStateMachine": self._delete_machine,
            "stepfunctions:StartExecution": self._start_execution,
            "stepfunctions:DescribeExecution": self._describe_execution,
            "stepfunctions:StopExecution": self._stop_execution,
            "stepfunctions:SendTaskSuccess": self._send_task_success,
            "sqs:SendMessage": self._send_message,
            "sqs:SendMessageBatch": self._send_messages,
        }
        # The double's own puts must not be seen as the code's.
        inner = self.recorder.doubles["dynamodb:BatchExecuteStatement"]
        self.recorder.doubles["dynamodb:BatchExecuteStatement"] = lambda arguments: self._unseen(inner, arguments)
        self.database = Database(Settings.read())
        self.accounts = AccountService(
            DynamoWorkspaceStore(self.database), DynamoKeyStore(self.database), clocks.SystemClock()
        )
        self._open()

    def _open(self) -> None:
        """The tables, with two workspaces and their keys: made once a process, and copied for every other world."""
        backend = dynamodb_backends[ACCOUNT][REGION]
        if not _opened:
            with self.recorder.unseen():
                keys, other_secret = self._populated()
            _opened.append((pickle.dumps(backend.tables), keys, other_secret))
        tables, keys, self.other_secret = _opened[0]
        backend.tables = pickle.loads(tables)  # noqa: S301 - what this process wrote itself
        self.keys = dict(keys)

    def _populated(self) -> tuple[dict[str, str], str]:
        for table in table_definitions():
            self.dynamodb.create_table(**table)
        accounts, stored = self.accounts, DynamoWorkspaceStore(self.database)
        for workspace in (WORKSPACE, "other"):
            made = accounts.create_workspace(workspace, workspace.title(), "Acme <hello@acme.example>", PUBLIC_URL)
            made = stored.change_senders(made, {"acme.example": {"verified": True}})
            stored.change_sms(made, SMS_SETUP)
        numbers = self.database.table(NumberItem, "senders")
        numbers(OUR_NUMBER, NUMBER, workspace=WORKSPACE).save()
        keys = {kind.value: accounts.create_key(WORKSPACE, kind, kind.value) for kind in KeyKind}
        return keys, accounts.create_key("other", KeyKind.SECRET, "secret")

    def _sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def _unseen(self, inner: Any, arguments: dict[str, Any]) -> dict[str, Any]:
        with self.recorder.unseen():
            answer: dict[str, Any] = inner(arguments)
        return answer

    # --- Step Functions ----------------------------------------------------------------------------------------------

    def _create_machine(self, arguments: dict[str, Any]) -> dict[str, Any]:
        arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{arguments['name']}"
        assert len(arguments["name"]) <= 80
        self.machines[arn] = json.loads(arguments["definition"])
        return {"stateMachineArn": arn}

    def _delete_machine(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """What still runs on a deleted machine ends at its next state: nobody may be there."""
        machine = arguments["stateMachineArn"]
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:"
        running = [one for one in self.executions if one.startswith(arn) and not self.executions[one].is_over]
        assert not running, running
        self.machines.pop(machine, None)
        return {}

    def _start_execution(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if self.start_failures:
            code = self.start_failures.pop(0)
            raise ClientError({"Error": {"Code": code, "Message": code}}, "StartExecution")
        machine, name = arguments["stateMachineArn"], arguments["name"]
        if machine not in self.machines:
            raise ClientError({"Error": {"Code": "StateMachineDoesNotExist", "Message": machine}}, "StartExecution")
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
        if arn in self.started and (self.started[arn] != arguments["input"] or self.executions[arn].is_over):
            raise ClientError({"Error": {"Code": "ExecutionAlreadyExists", "Message": arn}}, "StartExecution")
        if arn not in self.started:
            self.started[arn] = arguments["input"]
            self.executions[arn] = self.begin_execution(self.machines[machine], arguments["input"], name)
        return {"executionArn": arn}

    def _describe_execution(self, arguments: dict[str, Any]) -> dict[str, Any]:
        arn = arguments["executionArn"]
        if arn not in self.executions:
            raise ClientError({"Error": {"Code": "ExecutionDoesNotExist", "Message": arn}}, "DescribeExecution")
        found = self.executions[arn]
        return {"status": "FAILED" if found.failed else "SUCCEEDED" if found.is_over else "RUNNING"}

    def _send_task_success(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """A token that was answered before, or whose attempt is over, is refused as the service does."""
        assert len(arguments["output"]) < 256 * 1024
        if not any(one.answer(arguments["taskToken"], arguments["output"]) for one in self.executions.values()):
            code = "TaskTimedOut" if arguments["taskToken"].startswith("token-") else "InvalidToken"
            raise ClientError({"Error": {"Code": code, "Message": code}}, "SendTaskSuccess")
        return {}

    def _stop_execution(self, arguments: dict[str, Any]) -> dict[str, Any]:
        arn = arguments["executionArn"]
        if not arn.startswith("arn:"):
            raise ClientError({"Error": {"Code": "InvalidArn", "Message": arn}}, "StopExecution")
        if arn not in self.executions:
            raise ClientError({"Error": {"Code": "ExecutionDoesNotExist", "Message": arn}}, "StopExecution")
        self.executions[arn].end()
        return {"stopDate": self.now}

    def _send_message(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """What is delayed may be taken at once: the test says when time passes, and moto would count it itself."""
        self.delayed = max(self.delayed, int(arguments.get("DelaySeconds", 0)))
        double = self.recorder.doubles.pop("sqs:SendMessage")
        try:
            with self.recorder.unseen():
                return dict(self.sqs.send_message(**{k: v for k, v in arguments.items() if k != "DelaySeconds"}))
        finally:
            self.recorder.doubles["sqs:SendMessage"] = double

    def _send_messages(self, arguments: dict[str, Any]) -> dict[str, Any]:
        with self.recorder.unseen():
            for entry in arguments["Entries"]:
                self.sqs.send_message(QueueUrl=arguments["QueueUrl"], MessageBody=entry["MessageBody"])
        return {"Successful": [], "Failed": []}

    def lose(self, arn: str) -> None:
        """Let an execution vanish, as when it failed."""
        del self.executions[arn]

    # --- handlers ----------------------------------------------------------------------------------------------------

    def function(self, name: str) -> ModuleType:
        """A function's module, loaded as Lambda does at a cold start and kept as it does while warm."""
        if name not in self._modules:
            spec = importlib.util.spec_from_file_location(f"function_{name}", ROOT / "functions" / name / "app.py")
            assert spec
            assert spec.loader
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            self._modules[name] = module
        return self._modules[name]

    def cold(self, name: str) -> None:
        """Let the next call of a function start a new process."""
        self._modules.pop(name, None)

    def invoke(self, name: str, event: dict[str, Any]) -> Any:
        """Call a function's handler; `running` names it meanwhile."""
        module = self.function(name)
        before, self.running = self.running, name
        try:
            return module.handler(event, None)
        finally:
            self.running = before

    def call(
        self,
        name: str,
        route: str,
        body: Any = None,
        key: str | None = "secret",
        path: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """Call a function through the HTTP API; status and body."""
        given = {"authorization": f"Bearer {self.keys.get(key, key)}"} if key else {}
        text = body if isinstance(body, str) or body is None else json.dumps(body)
        event = {
            "version": "2.0",
            "routeKey": route,
            "headers": {**given, **(headers or {})},
            "pathParameters": path or {},
            "queryStringParameters": query or {},
            "requestContext": {"http": {"method": route.partition(" ")[0], "sourceIp": "203.0.113.9"}},
            "body": text,
            "isBase64Encoded": False,
        }
        answer = self.invoke(name, event)
        text = answer.get("body", "")
        is_json = answer["headers"]["content-type"] == "application/json" if text else False
        return answer["statusCode"], json.loads(text) if is_json else {"text": text}

    def ingest(self, kind: str, body: Any, key: str = "write", **more: Any) -> tuple[int, dict[str, Any]]:
        """Send a tracking call the way an SDK does: Basic, with an empty password."""
        token = base64.b64encode(f"{self.keys.get(key, key)}:".encode()).decode()
        return self.call(kind, f"POST /v1/{kind}", body, None, headers={"authorization": f"Basic {token}"}, **more)

    def identify(self, user: str, **traits: Any) -> None:
        """An identify call that must succeed, and everything it sets off."""
        status, body = self.ingest("identify", {"userId": user, "traits": traits, "messageId": self.fresh()})
        assert status == 200, body
        self.pump()

    def track(self, user: str, event: str, **properties: Any) -> str:
        """A track call that must succeed, and everything it sets off; its message id."""
        message = {"userId": user, "event": event, "properties": properties, "messageId": self.fresh()}
        status, body = self.ingest("track", message)
        assert status == 200, body
        self.pump()
        return str(message["messageId"])

    def fresh(self) -> str:
        """A message id that was not used."""
        self._sequence += 1
        return f"m-{self._sequence}"

    # --- streams and queues ------------------------------------------------------------------------------------------

    def new_records(self) -> list[dict[str, Any]]:
        """Stream records of the events stored since this was last asked, in the order they were received."""
        # Asked of moto itself: a Scan of all that a world has told so far would cost more than what is tested.
        table = dynamodb_backends[ACCOUNT][REGION].get_table(variables()["TABLE_EVENTS"])
        stored = [item for items in table.items.values() for item in items.values()]
        unseen = [item for item in stored if (item.hash_key.value, item.range_key.value) not in self._seen]
        self._seen |= {(item.hash_key.value, item.range_key.value) for item in unseen}
        new = [item.to_json()["Attributes"] for item in unseen]
        new.sort(key=lambda item: (item["received_at"]["S"], item["pk"]["S"], item["sk"]["S"]))
        return [self.record(item) for item in new]

    def record(self, image: dict[str, Any]) -> dict[str, Any]:
        """A stream record of an inserted item; bytes are base64, as Lambda is given them."""
        self._sequence += 1
        image = {
            name: {"B": base64.b64encode(value["B"]).decode()} if isinstance(value.get("B"), bytes) else value
            for name, value in image.items()
        }
        keys = {name: image[name] for name in ("pk", "sk") if name in image}
        change = {"Keys": keys, "NewImage": image, "SequenceNumber": str(self._sequence)}
        return {"eventID": str(self._sequence), "eventName": "INSERT", "dynamodb": change}

    def pump(self) -> None:
        """Let react see new events, and those that it causes, until there are none."""
        while records := self.new_records():
            for start in range(0, len(records), 25):
                answer = self.invoke("react", {"Records": records[start : start + 25]})
                assert answer == {"batchItemFailures": []}, answer

    def messages_in(self, queue: str) -> list[dict[str, Any]]:
        """Take what is in a queue."""
        with self.recorder.unseen():
            found = self.sqs.receive_message(QueueUrl=self.queues[queue], MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in found]

    def erase(self, contact: str) -> None:
        """Erase a contact that must be there, and everything that this sets off."""
        status, answer = self.call(
            "erase", "POST /v1/contacts/{contact}/erase", {"confirm": contact}, path={"contact": contact}
        )
        assert (status, answer) == (202, {"contact": contact, "state": "erasing"}), answer
        self.clear_erased()

    def clear_erased(self) -> None:
        """Let erasures work on what is in its queue, until there is nothing."""
        while bodies := self.messages_in("erasures"):
            for body in bodies:
                answer = self.invoke("erasures", {"Records": [{"messageId": "q-1", "body": json.dumps(body)}]})
                assert answer == {"batchItemFailures": []}, answer

    def work_jobs(self, rounds: int = 100) -> None:
        """Let run_jobs work off what is in its queue, until there is nothing; what was delayed is waited for."""
        for _ in range(rounds):
            bodies = self.messages_in("jobs")
            self.now += timedelta(seconds=self.delayed if bodies else 0)
            self.delayed = 0
            for body in bodies:
                answer = self.invoke("run_jobs", {"Records": [{"messageId": "q-1", "body": json.dumps(body)}]})
                assert answer == {"batchItemFailures": []}, answer
        self.pump()

    def deliver(self) -> None:
        """Let deliver work off what is in its queue, until there is nothing; what was delayed is waited for."""
        for _ in range(100):
            bodies = self.messages_in("deliveries")
            self.now += timedelta(seconds=self.delayed)
            self.delayed = 0
            for body in bodies:
                answer = self.invoke("deliver", {"Records": [{"messageId": "q-1", "body": json.dumps(body)}]})
                assert answer == {"batchItemFailures": []}, answer
        self.pump()

    def feedback(self, notification: dict[str, Any], pump: bool = True) -> dict[str, Any]:
        """Deliver an SES event through SNS and SQS."""
        envelope = {"Type": "Notification", "MessageId": self.fresh(), "Message": json.dumps(notification)}
        record = {"messageId": "q-1", "body": json.dumps(envelope), "eventSource": "aws:sqs"}
        answer: dict[str, Any] = self.invoke("ses_events", {"Records": [record]})
        if pump:
            self.take_put_off()
            self.pump()
        return answer

    def text(
        self,
        body: str,
        sender: str = THEIR_NUMBER,
        to: str = OUR_NUMBER,
        inbound: str = "",
        answers: str = "",
        **more: Any,
    ) -> dict[str, Any]:
        """A record of the inbound queue: what somebody texted now, as End User Messaging tells it."""
        told = {
            "originationNumber": sender,
            "destinationNumber": to,
            "messageKeyword": "KEYWORD_1",
            "messageBody": body,
            "inboundMessageId": inbound or self.fresh(),
            **({"previousPublishedMessageId": answers} if answers else {}),
            **more,
        }
        at = self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        envelope = {"Type": "Notification", "TopicArn": INBOUND_TOPIC, "Timestamp": at, "Message": json.dumps(told)}
        return {"messageId": self.fresh(), "body": json.dumps(envelope), "eventSource": "aws:sqs"}

    def receive(self, *records: dict[str, Any], pump: bool = True) -> list[str]:
        """Let sms_inbound take records; those that failed."""
        answer = self.invoke("sms_inbound", {"Records": list(records)})
        if pump:
            self.pump()
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def told_of_text(self, notification: dict[str, Any], pump: bool = True) -> bool:
        """Deliver an event of End User Messaging through SNS and SQS; whether it was taken in."""
        envelope = {"Type": "Notification", "MessageId": self.fresh(), "Message": json.dumps(notification)}
        record = {"messageId": "q-1", "body": json.dumps(envelope), "eventSource": "aws:sqs"}
        answer: dict[str, Any] = self.invoke("sms_events", {"Records": [record]})
        if pump:
            self.pump()
        return bool(answer == {"batchItemFailures": []})

    def take_clicks(self, pump: bool = True) -> None:
        """Let sms_events count the clicks that wait, and look again at those it put off, as 20 seconds later."""
        while bodies := self.messages_in("sms_events"):
            for body in bodies:
                answer = self.invoke("sms_events", {"Records": [{"messageId": "q-1", "body": json.dumps(body)}]})
                assert answer == {"batchItemFailures": []}, answer
        if pump:
            self.pump()

    def mail_in(
        self, raw: bytes, *to: str, source: str = "ada@people.example", mail: str = "", **verdicts: str
    ) -> dict[str, Any]:
        """A record of the queue of received mails: what SES tells of one, by an SNS action in base64."""
        at = self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        statuses = {"spam": "PASS", "virus": "PASS", "spf": "PASS", "dkim": "PASS", "dmarc": "PASS", **verdicts}
        told = {
            "notificationType": "Received",
            "mail": {"timestamp": at, "source": source, "messageId": mail or self.fresh(), "destination": list(to)},
            "receipt": {
                "timestamp": at,
                "recipients": list(to),
                **{f"{name}Verdict": {"status": status} for name, status in statuses.items()},
                "action": {"type": "SNS", "topicArn": MAIL_TOPIC, "encoding": "BASE64"},
            },
            "content": base64.b64encode(raw).decode(),
        }
        envelope = {"Type": "Notification", "TopicArn": MAIL_TOPIC, "Timestamp": at, "Message": json.dumps(told)}
        return {"messageId": self.fresh(), "body": json.dumps(envelope), "eventSource": "aws:sqs"}

    def receive_mail(self, *records: dict[str, Any]) -> list[str]:
        """Let email_inbound take records; those that failed."""
        answer = self.invoke("email_inbound", {"Records": list(records)})
        self.pump()
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def take_put_off(self) -> None:
        """Let ses_events look again at what it put off, as 20 seconds later."""
        while bodies := self.messages_in("feedback"):
            for body in bodies:
                answer = self.invoke("ses_events", {"Records": [{"messageId": "q-1", "body": json.dumps(body)}]})
                assert answer == {"batchItemFailures": []}, answer

    # --- automations and time ----------------------------------------------------------------------------------------

    def template(self, name: str, **fields: Any) -> None:
        """Apply a template that must be right."""
        subject = {} if fields.get("channel") == "sms" else {"subject": f"{name} for {{{{ contact.first_name }}}}"}
        body = {**subject, "text": f"This is {name}.", **fields}
        status, answer = self.call("templates", "PUT /v1/templates/{name}", body, path={"name": name})
        assert status == 200, answer

    def automation(self, definition: dict[str, Any]) -> dict[str, Any]:
        """Apply and publish an automation that must be right."""
        path = {"name": definition["automation"]}
        status, answer = self.call("automations", "PUT /v1/automations/{name}", definition, path=path)
        assert status == 200, answer
        status, answer = self.call("automations", "POST /v1/automations/{name}/publish", path=path)
        assert status == 200, answer
        return answer

    def run(self, until: timedelta = timedelta()) -> None:
        """Let time pass and the executions run, in the order of their waits."""
        end = self.now + until
        while True:
            due = []
            for execution in [one for one in self.executions.values() if not one.is_over]:
                wait = execution.wait()
                due.append((wait or self.now, id(execution), execution))
            due = sorted((entry for entry in due if entry[0] <= end), key=lambda entry: entry[:2])
            if not due:
                break
            at, _, execution = due[0]
            self.now = max(self.now, at)
            execution.step(self.task, self.now)
            self.pump()
        self.now = end

    def task(self, arn: str, payload: dict[str, Any]) -> dict[str, Any]:
        """What a machine's Task calls."""
        answer: dict[str, Any] = self.invoke(arn.rpartition(":")[2], payload)
        return answer

    def items(self, table: str) -> list[dict[str, Any]]:
        """All items of a table, by its variable."""
        with self.recorder.unseen():
            pages = self.dynamodb.get_paginator("scan").paginate(TableName=variables()[table])
            return [item for page in pages for item in page["Items"]]

    def contact(self, **query: str) -> dict[str, Any]:
        """A contact that must be there: the first that a question finds."""
        status, answer = self.call("contacts", "GET /v1/contacts", query=query)
        assert status == 200, answer
        assert answer["contacts"], query
        found: dict[str, Any] = answer["contacts"][0]
        return found

    def of_contact(self, contact: str, what: str) -> list[dict[str, Any]]:
        """A contact's timeline (`events`), `messages` or `enrolments`."""
        route = {"events": "timeline"}.get(what, what)
        status, answer = self.call("contacts", f"GET /v1/contacts/{{contact}}/{route}", path={"contact": contact})
        assert status == 200, answer
        found: list[dict[str, Any]] = answer[what]
        return found
