"""What the local engine has no use for, or has never heard of, left out of the template it is given.

A stack has at most 500 resources. In AWS that holds for each nested stack by itself; here all are one. So what has no
effect on the engine stays out: alarms, which nothing would ever set off; log groups, which the engine makes when the
first line is written; and the leave of the HTTP API to call a function, which nobody asks for. End User Messaging and
what SES does with mails that come in are not the engine's at all: those are the carriers', who know a configuration set
or a number by its name. Whoever refers to what is left out gets that name, or the ARN with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tidings_cli.local.expanded import Template
from tidings_cli.local.flatten import rewrite

SMS, RECEIPT = "AWS::SMSVOICE::", "AWS::SES::Receipt"
WITHOUT_EFFECT = frozenset({"AWS::CloudWatch::Alarm", "AWS::Logs::LogGroup"})
PERMISSION = "AWS::Lambda::Permission"

# The property that gives a resource its name, where there is one; `!Ref` of the resource answers the name.
NAMED_BY = {
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::SES::ReceiptFilter": "FilterName",
    "AWS::SES::ReceiptRule": "RuleName",
    "AWS::SES::ReceiptRuleSet": "RuleSetName",
    "AWS::SMSVOICE::ConfigurationSet": "ConfigurationSetName",
    "AWS::SMSVOICE::OptOutList": "OptOutListName",
    "AWS::SMSVOICE::SenderId": "SenderId",
}


def leave_out(template: Template) -> None:
    """Take those resources out of the flat `template`, in place; where they are named stands their name or ARN."""
    resources = template["Resources"]
    gone = {name: resource for name, resource in resources.items() if _stays_out(resource)}
    scope = WithoutThem(gone)
    kept = {name: resource for name, resource in resources.items() if name not in gone}
    template["Resources"] = {name: _without(rewrite(resource, scope), gone) for name, resource in kept.items()}
    template["Outputs"] = rewrite(template.get("Outputs", {}), scope)


def _stays_out(resource: Template) -> bool:
    kind = str(resource["Type"])
    if kind == PERMISSION:
        return bool(resource["Properties"].get("Principal") == "apigateway.amazonaws.com")
    return kind in WITHOUT_EFFECT or kind.startswith((SMS, RECEIPT))


def _without(resource: Template, gone: Mapping[str, Template]) -> Template:
    """Nobody waits for what is not made."""
    needs = resource.get("DependsOn", [])
    left = [name for name in ([needs] if isinstance(needs, str) else needs) if name not in gone]
    kept = {key: value for key, value in resource.items() if key != "DependsOn"}
    return kept | ({"DependsOn": left} if left else {})


class WithoutThem:
    """The names of a template in which some resources are told by their names alone."""

    def __init__(self, gone: Mapping[str, Template]) -> None:
        self._gone = gone

    def ref(self, name: str) -> Any:
        """What it is called if it was left out."""
        return self._name(name) if name in self._gone else {"Ref": name}

    def attribute(self, name: str, attribute: str) -> Any:
        """The ARN, or any other attribute as the name, of what was left out."""
        if name not in self._gone:
            return {"Fn::GetAtt": [name, attribute]}
        kind = str(self._gone[name]["Type"])
        if attribute != "Arn" or kind.startswith(RECEIPT):
            return self._name(name)
        place = "logs:${AWS::Region}:${AWS::AccountId}:log-group:${Name}:*"
        if kind.startswith(SMS):
            place = f"sms-voice:${{AWS::Region}}:${{AWS::AccountId}}:{_dashed(kind.removeprefix(SMS))}/${{Name}}"
        return {"Fn::Sub": [f"arn:${{AWS::Partition}}:{place}", {"Name": self._name(name)}]}

    def local(self, name: str) -> str:
        """As it stands."""
        return name

    def depends_on(self, name: str) -> list[str]:
        """Itself, if it is made at all."""
        return [] if name in self._gone else [name]

    def _name(self, name: str) -> Any:
        given = self._gone[name].get("Properties", {}).get(NAMED_BY.get(self._gone[name]["Type"], ""))
        return rewrite(given, self) if given else {"Fn::Sub": f"${{AWS::StackName}}-{name}"}


def _dashed(kind: str) -> str:
    """`ConfigurationSet` as ARNs have it: `configuration-set`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind).lower()
