"""What the templates say, for tests: the tables to create, the variables that name them, and what each function may do.

The templates are the only place where this is written; a test that needs a table or a grant reads it here, so that
neither can drift. Intrinsic functions are resolved as CloudFormation would, with an invented account and region, and
each resource's logical id as its name.

    tables(ROOT)            arguments of `create_table`, one for each table
    table_variables(ROOT)   {"TABLE_EVENTS": "Events", ...}
    times_to_live(ROOT)     {"Events": "expires_at", ...}
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

ACCOUNT = "000000000000"
REGION = "us-east-1"
ROOT = Path(__file__).parents[2]

Json = Any


class Stack:
    """One template with its parameters, able to say what a value in it comes to.

    `name` is what `AWS::StackName` means, `names` gives a resource another physical name than its logical id.
    """

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
        name = self.names.get(logical, logical)
        match kind:
            case "AWS::SQS::Queue":
                return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"
            case "AWS::SNS::Topic":
                return self._attribute(logical, "TopicArn")
        return name

    def _attribute(self, logical: str, attribute: str) -> str:
        entry = self.resources[logical]
        if attribute.startswith("Outputs."):
            return str(self.nested(logical).output(attribute.removeprefix("Outputs.")))
        name = self.names.get(logical, entry.get("Properties", {}).get("Name") or logical)
        name = str(self.resolve(name))
        match entry["Type"], attribute:
            case "AWS::DynamoDB::Table", "Arn":
                return _arn("dynamodb", f"table/{name}")
            case "AWS::DynamoDB::Table", "StreamArn":
                return _arn("dynamodb", f"table/{name}/stream/1970-01-01T00:00:00.000")
            case "AWS::SQS::Queue", "Arn":
                return _arn("sqs", name)
            case "AWS::SQS::Queue", "QueueName":
                return name
            case "AWS::SNS::Topic", "TopicArn":
                return _arn("sns", name)
            case "AWS::IAM::Role", "Arn":
                return f"arn:aws:iam::{ACCOUNT}:role/{name}"
            case "AWS::Serverless::Function", "Arn":
                return _arn("lambda", f"function:{name}")
        raise NotImplementedError(f"{entry['Type']}.{attribute} in {self.path.name}")

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
