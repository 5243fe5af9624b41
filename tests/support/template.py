"""What the templates say, for tests: the tables to create, the variables that name them, and what each function may do.

The templates are the only place where this is written; a test that needs a table or a grant reads it here, so that
neither can drift. Intrinsic functions are resolved as CloudFormation would, with an invented account and region, and
each resource's logical id as its name.

    tables()            arguments of `create_table`, one for each table
    table_variables()   {"TABLE_EVENTS": "Events", ...}
    times_to_live()     {"Events": "expires_at", ...}
    routes()            {"GET /v1/contacts": "contacts", ...}, the function's folder behind each route of the HTTP API
    grants()            what each function may do: {"TrackFunction": [Grant("dynamodb:PutItem", "arn:..."), ...]}
    not_granted(calls)  recorded calls that no grant covers
    not_used(calls)     grants that no recorded call used

A test on a running stack passes `names`, the resources' physical names by logical id; `names_of(outputs)` gives them.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from boto3 import Session
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ACCOUNT = "000000000000"
REGION = "us-east-1"
ROOT = Path(__file__).parents[2]

Json = Any


class Stack:
    """One template with its parameters, able to say what a value in it comes to.

    `name` is what `AWS::StackName` means, `names` gives a resource another physical name than its logical id.
    """

    # Under which property a resource of the type is given its name, where the template gives one.
    _NAMED_BY = ("FunctionName", "LogGroupName", "QueueName", "TableName", "TopicName", "RoleName")

    def __init__(
        self,
        path: Path,
        parameters: Mapping[str, Json] | None = None,
        name: str = "tidings",
        names: Mapping[str, str] | None = None,
    ) -> None:
        self.path = path
        self.template: dict[str, Json] = yaml_parse(path.read_text(encoding="utf-8"))
        self.resources: dict[str, dict[str, Json]] = self.template["Resources"]
        self.name = name
        self.names = dict(names or {})
        defaults = {key: entry.get("Default", "") for key, entry in self.template.get("Parameters", {}).items()}
        self.parameters = {**defaults, **(parameters or {})}
        self._nested: dict[str, Stack] = {}

    def of_type(self, kind: str) -> dict[str, dict[str, Json]]:
        """The resources of one CloudFormation type by logical id, properties unresolved."""
        return {logical: entry for logical, entry in self.resources.items() if entry["Type"] == kind}

    @cached_property
    def expanded(self) -> dict[str, dict[str, Json]]:
        """The resources that SAM makes of the template, by logical id, properties unresolved."""
        template = json.loads(json.dumps(self.template))
        for entry in template["Resources"].values():
            for key in ("CodeUri", "ContentUri"):
                if key in entry.get("Properties", {}):
                    # The transform only takes code that was uploaded.
                    entry["Properties"][key] = "s3://bucket/key"
        translator = Translator({}, Parser(), boto_session=Session(region_name=REGION))
        resources: dict[str, dict[str, Json]] = translator.translate(template, {})["Resources"]
        return resources

    def properties(self, logical: str) -> dict[str, Json]:
        """A resource's properties, resolved; those that come to AWS::NoValue are left out."""
        resolved: dict[str, Json] = self.resolve(self.resources[logical].get("Properties", {}))
        return resolved

    def nested(self, logical: str) -> "Stack":
        """The stack behind an AWS::CloudFormation::Stack resource."""
        if logical not in self._nested:
            entry = self.resources[logical]["Properties"]
            self._nested[logical] = Stack(
                self.path.parent / entry["TemplateURL"],
                self.resolve(entry.get("Parameters", {})),
                f"{self.name}-{logical}",
                self.names,
            )
        return self._nested[logical]

    def output(self, key: str) -> Json:
        """What one of the stack's outputs comes to."""
        return self.resolve(self.template["Outputs"][key]["Value"])

    def resolve(self, value: Json) -> Json:
        """Replace every intrinsic function in `value` by what it comes to."""
        if isinstance(value, list):
            return [resolved for entry in value if (resolved := self.resolve(entry)) is not None]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(function, argument)] = value.items()
            if function == "Ref" or function.startswith("Fn::"):
                return self._call(function.removeprefix("Fn::"), argument)
        return {key: resolved for key, entry in value.items() if (resolved := self.resolve(entry)) is not None}

    def _call(self, function: str, argument: Json) -> Json:
        match function:
            case "Ref":
                return self._ref(argument)
            case "GetAtt":
                logical, attribute = argument if isinstance(argument, list) else argument.split(".", 1)
                return self._attribute(logical, attribute)
            case "Sub":
                return self._sub(argument)
            case "If":
                condition, yes, no = argument
                return self.resolve(yes if self._holds({"Condition": condition}) else no)
            case "Join":
                return argument[0].join(self.resolve(argument[1]))
        raise NotImplementedError(f"Fn::{function} in {self.path.name}")

    def _holds(self, condition: Json) -> bool:
        [(function, argument)] = condition.items()
        match function:
            case "Condition":
                return self._holds(self.template["Conditions"][argument])
            case "Fn::Equals":
                left, right = self.resolve(argument)
                return bool(left == right)
            case "Fn::Not":
                return not self._holds(argument[0])
        raise NotImplementedError(f"{function} in a condition of {self.path.name}")

    def _ref(self, name: str) -> Json:
        if name in self.parameters:
            return self.parameters[name]
        if name in self.resources:
            return self._reference(name, self.resources[name]["Type"])
        pseudo = {
            "AWS::AccountId": ACCOUNT,
            "AWS::NoValue": None,
            "AWS::Partition": "aws",
            "AWS::Region": REGION,
            "AWS::StackName": self.name,
            "AWS::URLSuffix": "amazonaws.com",
        }
        return pseudo[name]

    def _reference(self, logical: str, kind: str) -> str:
        """What `!Ref` of a resource is: its name, except for queues (their URL) and topics (their ARN)."""
        name = self._physical(logical)
        match kind:
            case "AWS::SQS::Queue":
                return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"
            case "AWS::SNS::Topic":
                return self._attribute(logical, "TopicArn")
        return name

    def _physical(self, logical: str) -> str:
        if logical in self.names:
            return self.names[logical]
        properties = self.resources[logical].get("Properties", {})
        named = next((properties[key] for key in self._NAMED_BY if key in properties), logical)
        return str(self.resolve(named))

    def _attribute(self, logical: str, attribute: str) -> str:
        kind = self.resources[logical]["Type"]
        if attribute.startswith("Outputs."):
            return str(self.nested(logical).output(attribute.removeprefix("Outputs.")))
        name = self._physical(logical)
        known = {
            ("AWS::DynamoDB::Table", "Arn"): _arn("dynamodb", f"table/{name}"),
            ("AWS::DynamoDB::Table", "StreamArn"): _arn("dynamodb", f"table/{name}/stream/1970-01-01T00:00:00.000"),
            ("AWS::SQS::Queue", "Arn"): _arn("sqs", name),
            ("AWS::SQS::Queue", "QueueName"): name,
            ("AWS::SNS::Topic", "TopicArn"): _arn("sns", name),
            ("AWS::SMSVOICE::ConfigurationSet", "Arn"): _arn("sms-voice", f"configuration-set/{name}"),
            ("AWS::IAM::Role", "Arn"): f"arn:aws:iam::{ACCOUNT}:role/{name}",
            ("AWS::Serverless::Function", "Arn"): _arn("lambda", f"function:{name}"),
            ("AWS::Serverless::HttpApi", "ApiEndpoint"): f"https://{name}.execute-api.{REGION}.amazonaws.com",
        }
        if (kind, attribute) in known:
            return known[kind, attribute]
        raise NotImplementedError(f"{kind}.{attribute} in {self.path.name}")

    def _sub(self, argument: Json) -> str:
        text, variables = argument if isinstance(argument, list) else (argument, {})

        def replacement(match: re.Match[str]) -> str:
            name = match[1]
            if name in variables:
                return str(self.resolve(variables[name]))
            if "." in name:
                return self._attribute(*name.split(".", 1))
            return str(self._ref(name))

        return re.sub(r"\$\{([^!}][^}]*)\}", replacement, text)


def root_stack(root: Path = ROOT, names: Mapping[str, str] | None = None) -> Stack:
    """The stack of template.yaml."""
    return Stack(root / "template.yaml", names=names)


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


_CREATE_TABLE = (
    "AttributeDefinitions",
    "BillingMode",
    "DeletionProtectionEnabled",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
)


def tables(root: Path = ROOT) -> list[dict[str, Json]]:
    """Arguments of boto3's `create_table` for every table of infra/data.yaml; a table is named by its logical id.

    Time to live is no argument of `create_table`: see `times_to_live`.
    """
    data = Stack(root / "infra" / "data.yaml", {"DeletionProtection": "false"})
    return [_create_table(logical, data.properties(logical)) for logical in data.of_type("AWS::DynamoDB::Table")]


def _create_table(logical: str, properties: Mapping[str, Json]) -> dict[str, Json]:
    arguments = {key: properties[key] for key in _CREATE_TABLE if key in properties}
    encryption = properties["SSESpecification"]
    arguments["SSESpecification"] = {"Enabled": encryption["SSEEnabled"], "SSEType": encryption["SSEType"]}
    if "StreamSpecification" in properties:
        arguments["StreamSpecification"] = {"StreamEnabled": True, **properties["StreamSpecification"]}
    return {"TableName": logical, **arguments}


def table_variables(root: Path = ROOT) -> dict[str, str]:
    """The environment variable that names each table, and the name that `tables` gives it."""
    return {_variable(table["TableName"]): table["TableName"] for table in tables(root)}


def _variable(logical: str) -> str:
    return "TABLE_" + re.sub(r"(?<!^)(?=[A-Z])", "_", logical).upper()


def times_to_live(root: Path = ROOT) -> dict[str, str]:
    """The attribute that holds the time to live (epoch seconds), for each table whose items age."""
    data = Stack(root / "infra" / "data.yaml")
    return {
        logical: entry["Properties"]["TimeToLiveSpecification"]["AttributeName"]
        for logical, entry in data.of_type("AWS::DynamoDB::Table").items()
        if "TimeToLiveSpecification" in entry["Properties"]
    }


def routes(root: Path = ROOT) -> dict[str, str]:
    """The folder of the function behind each route of the HTTP API, by the route as events name it: `METHOD /path`."""
    return {
        f"{event['Properties']['Method']} {event['Properties']['Path']}": entry["Properties"]["CodeUri"].split("/")[1]
        for entry in root_stack(root).of_type("AWS::Serverless::Function").values()
        for event in entry["Properties"].get("Events", {}).values()
        if event["Type"] == "HttpApi"
    }


# Calls that name nothing but a token: whose execution it belongs to only Step Functions knows.
BY_TOKEN = frozenset({"states:SendTaskSuccess", "states:SendTaskFailure", "states:SendTaskHeartbeat"})


@dataclass(frozen=True, slots=True)
class Grant:
    """One action that a function may do on one resource; the resource may hold `*` and `?`.

    `by_lambda` says that the Lambda service does it in the function's name, so that no call of the function's shows it.
    """

    action: str
    resource: str
    by_lambda: bool = False

    def covers(self, action: str, resource: str) -> bool:
        """Whether the grant permits the call."""
        if resource == "*" and action in BY_TOKEN:
            return self.action == action
        pattern = re.escape(self.resource).replace(r"\*", ".*").replace(r"\?", ".")
        return self.action == action and re.fullmatch(pattern, resource) is not None


def grants(root: Path = ROOT, names: Mapping[str, str] | None = None) -> dict[str, list[Grant]]:
    """What the policies of template.yaml let each function do, by the function's logical id.

    Only actions and resources: conditions (such as to which service a role may be passed) are not looked at.
    """
    stack = root_stack(root, names)
    return {
        logical: [
            grant
            for policy in stack.properties(logical).get("Policies", [])
            for statement in policy["Statement"]
            for grant in statement_grants(statement)
        ]
        for logical in stack.of_type("AWS::Serverless::Function")
    }


def statement_grants(statement: Mapping[str, Json]) -> list[Grant]:
    """Every pair of action and resource of an Allow statement."""
    if statement["Effect"] != "Allow":
        return []
    by_lambda = statement.get("Sid", "").startswith("ForLambda")
    return [
        Grant(action, resource, by_lambda)
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    ]


def _listed(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


Call = Mapping[str, str]


def not_granted(
    calls: Iterable[Call], root: Path = ROOT, names: Mapping[str, str] | None = None
) -> list[tuple[str, str, str]]:
    """The (function, action, resource) of recorded calls that no grant of the function's covers, each once.

    A call is a mapping with "function" (the logical id), "action" and "resource" (an ARN).
    """
    granted = grants(root, names)
    made = {(call["function"], call["action"], call["resource"]) for call in calls}
    return sorted(
        call for call in made if not any(grant.covers(call[1], call[2]) for grant in granted.get(call[0], []))
    )


def not_used(
    calls: Iterable[Call], root: Path = ROOT, names: Mapping[str, str] | None = None
) -> list[tuple[str, str, str]]:
    """The (function, action, resource) of grants that no recorded call used, save those that Lambda itself uses."""
    made = {(call["function"], call["action"], call["resource"]) for call in calls}
    return sorted(
        (function, grant.action, grant.resource)
        for function, granted in grants(root, names).items()
        for grant in granted
        if not grant.by_lambda
        and not any(function == called and grant.covers(action, resource) for called, action, resource in made)
    )


def names_of(outputs: Mapping[str, str]) -> dict[str, str]:
    """The physical names by logical id, as far as the outputs of a running root stack tell them."""
    names = {key.removeprefix("Table"): value for key, value in outputs.items() if key.startswith("Table")}
    names |= {
        key.removesuffix("Url"): value.rpartition("/")[2] for key, value in outputs.items() if key.endswith("QueueUrl")
    }
    names["FeedbackTopic"] = outputs["FeedbackTopicArn"].rpartition(":")[2]
    names |= {name: outputs[name] for name in ("MarketingMails", "TransactionalMails")}
    names["Texts"] = outputs["SmsConfigurationSet"]
    names["DeliverLaterMachine"] = outputs["DeliverLaterMachineArn"]  # a machine's Ref is its ARN
    names["SenderIdsMachine"] = outputs["SenderIdsMachineArn"]
    names["AgendaMachine"] = outputs["AgendaMachineArn"]
    names["MachinesRole"] = outputs["MachinesRoleArn"].rpartition("/")[2]
    return names
