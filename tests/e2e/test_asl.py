"""The machines of many automations, judged by asl-validator of npm."""

from __future__ import annotations

import json
import subprocess

from tests.e2e.sdks.installed import SDKS, environment
from tests.unit.automations.strategies import many_definitions
from tests.unit.automations.test_machines import ARNS

from tidings.automations.components import Awaits
from tidings.automations.machines.compile import Asl, resumed
from tidings.automations.machines.compile import compile as compile_machine
from tidings.automations.machines.lasting import renews


def test_machines_of_200_automations_pass_asl_validator() -> None:
    made = many_definitions(200)
    machines = [compile_machine(one, 1, ARNS) for one in made]
    machines += [
        resumed(asl, name)
        for one, asl in zip(made, list(machines), strict=True)
        for name, component in one.components.items()
        if isinstance(component, Awaits) and name in asl["States"] and not renews(one)
    ]
    assert len(machines) > 200
    assert wrong_with(machines) == [[] for _ in machines]


def test_the_validator_sees_what_is_wrong() -> None:
    ((found, *_),) = wrong_with([{"StartAt": "a", "States": {"a": {"Type": "Task", "Next": "b"}}}])
    assert found


def wrong_with(machines: list[Asl]) -> list[list[str]]:
    """What the package finds wrong with each of them."""
    done = subprocess.run(
        ["node", "machines.mjs"],
        cwd=SDKS,
        env=environment({}),
        input="\n".join(json.dumps(machine) for machine in machines),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
