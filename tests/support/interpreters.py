"""Two interpreters of the same machines for one story: our own small one, and moto's, a whole one that others wrote.

Both stand where the world keeps its executions, and are driven alike: a Task is called by the test's own thread, and
time is the test's. moto's interpreter runs in threads of its own; each of them stops where something outside has to
happen (a Task, a Wait, a token, the pause before a repeat) and goes on when the test says so: one runs at a time.

Both obey Retry and fail for good; an execution that failed is told of as EventBridge does, by `go`.
"""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest import mock

from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl, retry_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_callback
from moto.stepfunctions.parser.asl.component.state.wait.wait_function import wait_function
from moto.stepfunctions.parser.asl.eval.callback import callback
from moto.stepfunctions.parser.backend import execution as backend_execution
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from tests.support.machine import Execution, Invoke
from tests.support.patience import SECONDS
from tests.support.world import ACCOUNT, REGION, ROLE, World

Begin = Callable[[dict[str, Any], str, str], Any]


@dataclass
class Ours(Execution):
    """Our interpreter, which also repeats a Task as its Retry says, and fails where that says nothing more."""

    stopped: bool = False
    due: datetime | None = None
    tried: dict[int, int] = field(default_factory=dict)
    called: list[str] = field(default_factory=list)

    def wait(self) -> datetime | None:
        return self.due or super().wait()

    def step(self, invoke: Invoke, now: datetime | None = None) -> None:
        assert now is not None
        state, self.due, before = self.state, None, len(self.states)

        def calling(arn: str, payload: dict[str, Any]) -> dict[str, Any]:
            self.called.append(state)
            return invoke(arn, payload)

        try:
            super().step(calling, now)
        except Exception as error:  # noqa: BLE001 - whatever a function raises fails the attempt
            self._repeat(state, type(error).__name__, now)
        if len(self.states) > before:
            self.tried = {}

    def end(self) -> None:
        self.stopped = self.stopped or not self.is_over
        super().end()

    def _repeat(self, state: str, error: str, now: datetime) -> None:
        rules = self.definition["States"][state]["Retry"]
        number = next(n for n, rule in enumerate(rules) if {error, "States.ALL"} & set(rule["ErrorEquals"]))
        rule, done = rules[number], self.tried.get(number, 0)
        if done >= rule["MaxAttempts"]:
            self.state, self.failed = "", error
            return
        self.tried[number] = done + 1
        seconds = rule["IntervalSeconds"] * rule["BackoffRate"] ** done
        self.due = now + timedelta(seconds=min(seconds, rule.get("MaxDelaySeconds", seconds)))


@dataclass
class Stop:
    """Where moto's interpreter stands: what it waits for, and until when; or what it wants called."""

    kind: str
    until: datetime | None = None
    seconds: float = 0
    token: str = ""
    asked: dict[str, Any] = field(default_factory=dict)


class Motos:
    """moto's interpreter on one execution, in the place of ours."""

    running: dict[str, Motos] = {}  # noqa: RUF012 - by the execution's ARN, which is all that moto's threads know

    def __init__(self, definition: dict[str, Any], execution_input: str, name: str) -> None:
        self.definition, self.name = definition, name
        self.called: list[str] = []
        self.stop_at: Stop | None = None
        self.at: datetime | None = None
        self.answers: Any = None
        self.stopped = False
        self._used: set[str] = set()
        self._go, self._stands = threading.Semaphore(0), threading.Semaphore(0)
        machines = StepFunctionsParserBackend(REGION, ACCOUNT)
        made = machines.create_state_machine(
            name=f"m{len(Motos.running)}", definition=json.dumps(definition), roleArn=ROLE
        )
        Motos.running[made.arn.replace(":stateMachine:", ":execution:") + f":{name}"] = self
        self.moto = machines.start_execution(made.arn, name, execution_input)
        self._stood()

    # --- what the world asks ------------------------------------------------------------------------------------------

    @property
    def is_over(self) -> bool:
        return self.stop_at is None

    @property
    def failed(self) -> str:
        """The name of the error that ended it."""
        return str(self.moto.error) if self.moto.exec_status == "FAILED" and not self.stopped else ""

    @property
    def states(self) -> list[str]:
        """The states it entered, as the history has them."""
        events = self.moto.exec_worker.env.event_manager.get_event_history()
        return [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]

    @property
    def data(self) -> dict[str, Any]:
        """What the last state it entered was given."""
        events = self.moto.exec_worker.env.event_manager.get_event_history()
        entered = [event["stateEnteredEventDetails"] for event in events if "stateEnteredEventDetails" in event]
        data: dict[str, Any] = json.loads(entered[-1]["input"])
        return data

    @property
    def state(self) -> str:
        return "" if self.is_over else self.states[-1]

    @property
    def token(self) -> str:
        return self.stop_at.token if self.stop_at else ""

    def wait(self) -> datetime | None:
        return self.stop_at.until if self.stop_at else None

    def step(self, invoke: Invoke, now: datetime | None = None) -> None:
        """Call the Task that it wants called; or let what it waits for be over."""
        assert self.stop_at is not None
        assert now is not None
        self.at = now
        if self.stop_at.kind == "task":
            self.answers = self._called(self.stop_at.asked, invoke)
        self._on()

    def answer(self, token: str, output: str) -> bool:
        """SendTaskSuccess."""
        pool = self.moto.exec_worker.env.callback_pool_manager
        if self.is_over or not token or token in self._used or pool.get(token) is None:
            return False
        self._used.add(token)
        pool.notify(token, callback.CallbackOutcomeSuccess(token, output))
        if self.stop_at and self.stop_at.token == token:
            self._on()
        return True

    def end(self) -> None:
        """StopExecution."""
        if self.is_over:
            return
        self.stopped = True  # a Task that is stopped has moto say that its time ran out
        self.moto.exec_worker.stop(self.at, None, None)
        while not self.is_over:
            self._on()

    # --- between the threads ------------------------------------------------------------------------------------------

    def _called(self, asked: dict[str, Any], invoke: Invoke) -> dict[str, Any]:
        payload = json.loads(asked["Payload"])
        self.called.append(self.states[-1])
        try:
            told: Any = invoke(asked["FunctionName"], payload)
            failed = {}
        except Exception as error:  # noqa: BLE001 - whatever a function raises fails the attempt
            told = {"errorType": type(error).__name__, "errorMessage": str(error)}
            failed = {"FunctionError": "Unhandled"}
        return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(told).encode()), **failed}

    def _on(self) -> None:
        self._go.release()
        self._stood()

    def _stood(self) -> None:
        assert self._stands.acquire(timeout=SECONDS), "moto's interpreter stands nowhere"

    def stands(self, stop: Stop | None) -> None:
        """In moto's thread: stand here until the test goes on; nowhere is the end."""
        self.stop_at = stop
        self._stands.release()
        if stop:
            assert self._go.acquire(timeout=SECONDS * 60), "the test goes on no more"


_here = threading.local()


def _of(env: Any) -> Motos:
    return Motos.running[env.states.context_object.context_object_data["Execution"]["Id"]]


def _invoke(parameters: dict[str, Any], region: str, state_credentials: Any) -> dict[str, Any]:
    one: Motos = _here.execution
    one.stands(Stop("task", asked=parameters))
    told: dict[str, Any] = one.answers
    return told | {"Payload": json.loads(told["Payload"].read())}


def _integrated(original: Any) -> Any:
    def execute(env: Any, **more: Any) -> None:
        _here.execution = _of(env)
        original(env=env, **more)

    return execute


def _retried(original: Any) -> Any:
    def evaluate(decl: Any, env: Any) -> None:
        _here.execution = _of(env)
        original(decl, env)

    return evaluate


def _slept(seconds: float) -> None:
    one: Motos = _here.execution
    assert one.at is not None
    one.stands(Stop("pause", until=one.at + timedelta(seconds=seconds)))


def _waited(function: Any, env: Any) -> None:
    function._get_wait_seconds(env)  # which looks whether it is an instant at all
    function.string.eval(env)
    until = datetime.fromisoformat(env.stack.pop())
    _of(env).stands(Stop("wait", until=until))


def _answered(_: Any, env: Any, timeout_seconds: int, callback_endpoint: Any, heartbeat_endpoint: Any) -> Any:
    one = _of(env)
    if callback_endpoint.get_outcome() is None:
        assert one.at is not None
        until = one.at + timedelta(seconds=timeout_seconds)
        one.stands(Stop("token", until=until, token=callback_endpoint.callback_id))
    one._used.add(callback_endpoint.callback_id)
    return callback_endpoint.get_outcome() or callback.CallbackOutcomeTimedOut(callback_endpoint.callback_id)


def _terminated(original: Any) -> Any:
    def terminated(told: Any) -> None:
        original(told)
        Motos.running[told.execution.exec_arn].stands(None)

    return terminated


@contextmanager
def motos(world: World) -> Iterator[None]:
    """Let moto's interpreter run the world's machines."""
    task, told = (
        state_task_service_callback.StateTaskServiceCallback,
        backend_execution.BaseExecutionWorkerCommunication,
    )
    integrated = lambda_eval_utils.execute_lambda_function_integration
    with (
        mock.patch.object(lambda_eval_utils, "_invoke_lambda_function", _invoke),
        mock.patch.object(lambda_eval_utils, "execute_lambda_function_integration", _integrated(integrated)),
        mock.patch.object(retry_decl.RetryDecl, "_eval_body", _retried(retry_decl.RetryDecl._eval_body)),
        mock.patch.object(retrier_decl, "time", SimpleNamespace(sleep=_slept)),
        mock.patch.object(wait_function.WaitFunction, "_eval_body", _waited),
        mock.patch.object(task, "_eval_wait_for_task_token", _answered),
        mock.patch.object(told, "terminated", _terminated(told.terminated)),
        mock.patch.object(Motos, "running", {}),
    ):
        world.begin_execution = Motos
        try:
            yield
        finally:
            for one in Motos.running.values():
                one.end()


@contextmanager
def ours(world: World) -> Iterator[None]:
    """Let our own interpreter run the world's machines."""
    world.begin_execution = Ours.begin
    yield


def go(world: World, until: timedelta = timedelta()) -> None:
    """Let time pass; what becomes of executions is told as EventBridge does, each once."""
    end = world.now + until
    while True:
        world.run(end - world.now)
        new = {arn for arn, one in world.executions.items() if one.is_over and arn not in world.settled}
        for arn in sorted(new):
            told: Any = world.executions[arn]
            status = "ABORTED" if told.stopped else "FAILED" if told.failed else "SUCCEEDED"
            detail = {"executionArn": arn, "status": status, "input": world.started[arn], "error": told.failed or None}
            world.invoke("settle_executions", {"source": "aws.states", "detail": detail})
        world.pump()
        if not new:
            return
        world.settled |= new
