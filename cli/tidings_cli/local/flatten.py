"""A template and those nested in it as one.

The engine creates nested stacks well and updates them badly: what did not change loses its attributes, so that the next
`!GetAtt` of it fails, and the stack of the data could never change. Within one stack it updates properly. So nested
resources move up, with the name of their stack before their own (`Data` and `Events` make `DataEvents`); parameters
become what they were given, and outputs what they stand for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Protocol

from tidings_cli.errors import CommandFailed
from tidings_cli.local.expanded import Template

PLACEHOLDER = re.compile(r"\$\{(?P<name>[^!}][^}]*)\}")


class Scope(Protocol):
    """What names mean in one template, told in the terms of the flat one."""

    def ref(self, name: str) -> Any:
        """What `!Ref name` is."""

    def attribute(self, name: str, attribute: str) -> Any:
        """What `!GetAtt name.attribute` is."""

    def local(self, name: str) -> str:
        """What a condition, a mapping or a resource is called."""

    def depends_on(self, name: str) -> list[str]:
        """The resources that stand for one."""


def flatten(template: Template, nested: Mapping[str, Template]) -> Template:
    """The template with the nested ones, by the logical ids of their stacks, in it. Raises CommandFailed."""
    if not nested:
        return template
    root = Root(template, nested)
    flat = {key: value for key, value in template.items() if key not in ("Resources", "Outputs")}
    own = {name: resource for name, resource in template["Resources"].items() if name not in nested}
    flat["Resources"] = {name: _resource(resource, root) for name, resource in own.items()}
    flat["Outputs"] = rewrite(template.get("Outputs", {}), root)
    for stack, inner in nested.items():
        scope = root.inner(stack)
        moved = {
            scope.local(name): _resource(resource, scope, template["Resources"][stack], root)
            for name, resource in inner["Resources"].items()
        }
        if taken := moved.keys() & flat["Resources"].keys():
            raise CommandFailed(f"The template has a resource {min(taken)}, and so has what is nested in it.")
        flat["Resources"] |= moved
        for section in ("Conditions", "Mappings"):
            if section in inner:
                named = {scope.local(name): rewrite(value, scope) for name, value in inner[section].items()}
                flat[section] = flat.get(section, {}) | named
    return flat


class Root:
    """The names of the template itself: its own, and the outputs of the nested stacks."""

    def __init__(self, template: Template, nested: Mapping[str, Template]) -> None:
        self._template = template
        self._nested = nested

    def inner(self, stack: str) -> Inner:
        """The names within a nested stack."""
        given = self._template["Resources"][stack]["Properties"].get("Parameters", {})
        return Inner(stack, self._nested[stack], {name: rewrite(value, self) for name, value in given.items()})

    def ref(self, name: str) -> Any:
        """As it stands."""
        return {"Ref": name}

    def attribute(self, name: str, attribute: str) -> Any:
        """As it stands, or what a nested stack's output stands for."""
        if name not in self._nested:
            return {"Fn::GetAtt": [name, attribute]}
        output = attribute.removeprefix("Outputs.")
        outputs = self._nested[name].get("Outputs", {})
        if output not in outputs:
            raise CommandFailed(f"The template uses the output {output} of {name}, which has none of that name.")
        return rewrite(outputs[output]["Value"], self.inner(name))

    def local(self, name: str) -> str:
        """As it stands."""
        return name

    def depends_on(self, name: str) -> list[str]:
        """Itself, or everything in the nested stack."""
        return (
            [self.inner(name).local(each) for each in self._nested[name]["Resources"]]
            if name in self._nested
            else [name]
        )


class Inner:
    """The names within a nested stack: parameters are what they were given, all else has the stack's name before it."""

    def __init__(self, stack: str, template: Template, given: Mapping[str, Any]) -> None:
        self._stack = stack
        self._template = template
        self._given = given

    def ref(self, name: str) -> Any:
        """What a parameter was given, or the resource under its new name."""
        if name in self._template.get("Parameters", {}):
            return self._parameter(name)
        return {"Ref": self.local(name) if name in self._template["Resources"] else name}

    def attribute(self, name: str, attribute: str) -> Any:
        """The attribute of the resource under its new name."""
        return {"Fn::GetAtt": [self.local(name), attribute]}

    def local(self, name: str) -> str:
        """The new name."""
        return f"{self._stack}{name}"

    def depends_on(self, name: str) -> list[str]:
        """Itself under its new name."""
        return [self.local(name)]

    def _parameter(self, name: str) -> Any:
        if name in self._given:
            return deepcopy(self._given[name])
        if "Default" not in self._template["Parameters"][name]:
            raise CommandFailed(f"The template does not give {self._stack} its parameter {name}.")
        return self._template["Parameters"][name]["Default"]


def _resource(
    resource: Template, scope: Scope, stack: Template | None = None, outside: Scope | None = None
) -> Template:
    """A resource in the terms of the flat template; one of a nested `stack` waits for what that waited for."""
    moved = {key: rewrite(value, scope) for key, value in resource.items() if key not in ("DependsOn", "Condition")}
    needs = [each for name in _names(resource.get("DependsOn")) for each in scope.depends_on(name)]
    if stack is not None and outside is not None:
        if "Condition" in stack:
            raise CommandFailed("The local system cannot deploy a nested stack that stands under a condition.")
        needs += [each for name in _names(stack.get("DependsOn")) for each in outside.depends_on(name)]
    if needs:
        moved["DependsOn"] = needs
    if "Condition" in resource:
        moved["Condition"] = scope.local(resource["Condition"])
    return moved


def _names(depends_on: Any) -> list[str]:
    return [depends_on] if isinstance(depends_on, str) else list(depends_on or [])


def rewrite(value: Any, scope: Scope) -> Any:
    """A value in the terms of the flat template."""
    if isinstance(value, list):
        return [rewrite(entry, scope) for entry in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        [(function, argument)] = value.items()
        if function in FUNCTIONS:
            return FUNCTIONS[function](argument, scope)
    return {key: rewrite(entry, scope) for key, entry in value.items()}


def _get_att(argument: Any, scope: Scope) -> Any:
    name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
    return scope.attribute(name, attribute)


def _condition(argument: Any, scope: Scope) -> Any:
    # The same word stands in policies, where what follows is never a name.
    return {"Condition": scope.local(argument) if isinstance(argument, str) else rewrite(argument, scope)}


def _if(argument: Any, scope: Scope) -> Any:
    return {"Fn::If": [scope.local(argument[0]), *rewrite(argument[1:], scope)]}


def _find_in_map(argument: Any, scope: Scope) -> Any:
    return {"Fn::FindInMap": [scope.local(argument[0]), *rewrite(argument[1:], scope)]}


def _sub(argument: Any, scope: Scope) -> Any:
    text, given = (argument, {}) if isinstance(argument, str) else argument
    variables = rewrite(given, scope)

    def replaced(match: re.Match[str]) -> str:
        name = match["name"].strip()
        if name in given or name.startswith("AWS::"):
            return match[0]
        base, _, attribute = name.partition(".")
        meant = scope.attribute(base, attribute) if attribute else scope.ref(base)
        if isinstance(meant, dict) and "Ref" in meant:
            return f"${{{meant['Ref']}}}"
        if isinstance(meant, dict) and "Fn::GetAtt" in meant:
            return f"${{{'.'.join(meant['Fn::GetAtt'])}}}"
        variable = re.sub(r"\W", "", name)
        variables[variable] = meant
        return f"${{{variable}}}"

    text = PLACEHOLDER.sub(replaced, text)
    return {"Fn::Sub": [text, variables] if variables else text}


FUNCTIONS = {
    "Ref": lambda argument, scope: scope.ref(argument),
    "Fn::GetAtt": _get_att,
    "Fn::Sub": _sub,
    "Fn::If": _if,
    "Fn::FindInMap": _find_in_map,
    "Condition": _condition,
}
