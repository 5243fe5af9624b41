"""Puts the local system together: what is started when, and stopped in the opposite order.

people, SDKs                      functions
     |                                |  AWS_ENDPOINT_URL...
front port --- outbox pages   inserts, [recorder]
     |              |             |        |
  engine <------ carriers <------ | -------+
 (API, tables, functions, machines)
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from types import TracebackType
from typing import Protocol, Self

from botocore.exceptions import BotoCoreError, ClientError

from tidings.core.errors import TidingsError
from tidings_cli.carriers import Carriers
from tidings_cli.errors import CommandFailed
from tidings_cli.local import environment
from tidings_cli.local.bootstrap import (
    NUMBER,
    PEOPLE,
    WORKSPACE,
    Missing,
    complete,
    keys_are_known,
    keys_for_people,
    open_workspace,
    prepare,
)
from tidings_cli.local.deploy import Deployed, deploy
from tidings_cli.local.engine import Engine, installed_version, stop_orphan
from tidings_cli.local.exchange import HOST, Handler
from tidings_cli.local.folder import StateFolder, require_readable, require_version
from tidings_cli.local.gate import Gate
from tidings_cli.local.inserts import Inserts
from tidings_cli.local.proxy import front
from tidings_cli.local.publishing import publisher
from tidings_cli.local.recorder import Recorder
from tidings_cli.local.requirements import find_template
from tidings_cli.local.resume import resume_enrolments, resume_sends
from tidings_cli.local.server import Server, free_port, listen, port_of
from tidings_cli.local.streams import Records, deliver_unread, read_streams, set_aside
from tidings_cli.local.upstream import Upstream
from tidings_cli.local.wsgi import wsgi

# Functions wait for AWS calls while callers wait for functions: so the recorder has threads for several calls of each.
FRONT_THREADS = 64
CARRIER_THREADS = 32
RECORDER_THREADS = 256


@dataclass(frozen=True, slots=True)
class Options:
    """What the command was told. `wait_scale` multiplies every wait; None leaves waits as they are."""

    port: int
    state: Path
    wait_scale: float | None = None
    as_json: bool = False
    record: Path | None = None
    template: Path | None = None
    geo: Path | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """A system that answers. `resumed` counts enrolments that go on after a stop, `seconds` how long the start took.

    `keys` are by kind, and those of people by role; `phone` is where text messages are read and answered, `number` what
    they leave from (empty if the template has none).
    """

    url: str
    outbox: str
    phone: str
    number: str
    aws: str
    workspace: str
    keys: dict[str, str]
    state: str
    outputs: dict[str, str]
    resumed: int
    seconds: float


class Progress(Protocol):
    """Who watches a start; `step` and `check` may raise to give it up."""

    def step(self, text: str) -> None:
        """What is done next."""

    def check(self) -> None:
        """Nothing new; called now and then while something is waited for."""

    def warn(self, text: str) -> None:
        """Something did not work, though the system goes on."""


class System:
    """The local system on one state folder. As a context manager it stops what it started, in order."""

    def __init__(self, options: Options, progress: Progress) -> None:
        self._options = options
        self._progress = progress
        self._folder = StateFolder(options.state)
        self._own_environment = environment.clean(os.environ)
        self._parts = ExitStack()
        self._gate = Gate()
        # Whether the engine wrote its data down when it was stopped.
        self.saved = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._parts.close()

    def start(self) -> Ready:
        """Bring everything up. Raises CommandFailed; what was begun by then is stopped on leaving the context."""
        try:
            return self._start()
        except TidingsError as error:
            raise CommandFailed(error.message) from error
        except (BotoCoreError, ClientError) as error:
            raise CommandFailed(f"The local engine refused what the start needs: {error}") from error

    def _start(self) -> Ready:
        began = time.monotonic()
        template = find_template(self._options.template)
        listener = self._listen("the local system", self._options.port)
        url = f"http://{HOST}:{port_of(listener)}"
        self._open_folder()

        self._progress.step("Starting the engine")
        engine_port = self._engine_port()
        carriers = self._open_carriers(url, engine_port)
        self._engine = self._start_engine(engine_port, carriers)
        # Importing the transform and reading the template take about as long as the engine needs to start.
        from tidings_cli.local.expand import expand

        expanded = expand(template)
        self._engine.wait(self._progress.check)

        self._progress.step("Deploying the template")
        deployed = deploy(expanded, self._progress.check)
        outputs = deployed.outputs
        _tell_topics(carriers, outputs)

        self._progress.step("Opening the workspace")
        if left := deliver_unread(self._folder.path):
            self._progress.warn(f"Functions failed on {left} records of streams; the next start delivers them again.")
        again, missing = self._open_workspace(outputs, url)
        self._serve_front(listener, engine_port, deployed, wsgi(carriers.outbox_app))
        complete(missing, url, self._folder.memory.keys["secret"])
        resumed = self._resume(url) if again else 0
        memory = self._folder.memory
        return Ready(
            url=url,
            outbox=f"{url}/outbox",
            phone=f"{url}/outbox/sms",
            number=NUMBER if "SmsInboundTopicArn" in outputs else "",
            aws=self._engine.url,
            workspace=memory.workspace,
            keys=memory.keys,
            state=str(self._folder.path),
            # The address of the API that the template puts out is one in AWS, where nothing of ours is.
            outputs=outputs | {"ApiUrl": url},
            resumed=resumed,
            seconds=round(time.monotonic() - began, 2),
        )

    def require_alive(self) -> None:
        """Raises CommandFailed if the engine ended though nobody stopped it."""
        if self._engine.ended():
            raise CommandFailed(f"The local engine ended by itself; see {self._engine.log}.")

    def _listen(self, purpose: str, port: int = 0) -> socket:
        listener = listen(port, purpose)
        self._parts.callback(listener.close)
        return listener

    def _open_folder(self) -> None:
        folder = self._parts.enter_context(self._folder)
        require_version(folder.memory, installed_version(), folder.path)
        if stop_orphan(folder.path):
            self._progress.step("Saved what a run that was killed left behind")
        require_readable(folder.path)

    def _engine_port(self) -> int:
        """The port of last time if it is free: queue URLs that functions were told have it in them."""
        memory = self._folder.memory
        memory.ports["engine"] = free_port(memory.ports.get("engine", 0))
        return memory.ports["engine"]

    def _open_carriers(self, url: str, engine_port: int) -> Carriers:
        aws = f"http://{HOST}:{engine_port}"
        environment.enter(self._own_environment | environment.client_environment(aws, aws, aws))
        carriers = Carriers(self._folder.place("carriers"), publisher(), url)
        self._parts.callback(carriers.close)
        self._parts.callback(carriers.save)
        return carriers

    def _start_engine(self, port: int, carriers: Carriers) -> Engine:
        """Start it with functions that find the engine and the carriers, past the recorder if there is one.

        Functions inherit the engine's environment, which is why no address is in the stack: an address there would be
        the last run's until the stack is updated, and what was left in a queue is worked on before that.
        """
        ses, sms = (self._gate.watched(wsgi(app)) for app in (carriers.ses_app, carriers.sms_app))
        database = self._gate.held(Inserts(self._upstream(port).send).handle)
        if self._options.record is None:
            endpoints = environment.client_environment(
                f"http://{HOST}:{port}", self._serve(ses, CARRIER_THREADS), self._serve(sms, CARRIER_THREADS)
            ) | {"AWS_ENDPOINT_URL_DYNAMODB": self._serve(database, RECORDER_THREADS)}
        else:
            recorder = Recorder(self._options.record, database, {"ses": ses, "sms-voice": sms})
            self._parts.callback(recorder.close)
            recorded = self._serve(recorder.handle, RECORDER_THREADS)
            endpoints = environment.client_environment(recorded, recorded, recorded)
        told = environment.engine_environment(port, self._folder.path, self._options.wait_scale)
        told |= environment.geo_environment(self._options.geo)
        engine = Engine(self._folder.path, port, self._own_environment | endpoints | told)
        self._parts.callback(self._stop_engine, engine)
        engine.start()
        return engine

    def _stop_engine(self, engine: Engine) -> None:
        if not engine.ended():
            self._gate.close()
        streams = self._streams_at_the_end(engine)
        self.saved = engine.stop()
        self._gate.end()
        if self.saved:
            set_aside(self._folder.path, streams)

    def _streams_at_the_end(self, engine: Engine) -> dict[str, Records]:
        try:
            return {} if engine.ended() else read_streams()
        except (ClientError, BotoCoreError) as error:
            self._progress.warn(f"Records that no function has seen yet could not be kept: {error}")
            return {}

    def _upstream(self, port: int) -> Upstream:
        upstream = Upstream(HOST, port)
        self._parts.callback(upstream.close)
        return upstream

    def _serve(self, handler: Handler, threads: int) -> str:
        """Serve on a port that nobody needs to know; returns the URL."""
        listener = self._listen("the carriers")
        url = f"http://{HOST}:{port_of(listener)}"
        self._begin(handler, listener, threads)
        return url

    def _serve_front(self, listener: socket, engine_port: int, deployed: Deployed, outbox: Handler) -> None:
        handler = front(self._upstream(engine_port), deployed.api_id, outbox, self._progress.warn)
        self._begin(handler, listener, FRONT_THREADS)

    def _begin(self, handler: Handler, listener: socket, threads: int) -> None:
        server = Server(handler, listener, self._folder.path / "servers.log", threads)
        self._parts.callback(server.stop)
        server.start()

    def _open_workspace(self, outputs: Mapping[str, str], url: str) -> tuple[bool, Missing]:
        """Make a workspace and keys, unless those of last time still open it; whether they do, and what it lacks."""
        folder, memory = self._folder, self._folder.memory
        known = bool(memory.keys) and keys_are_known(outputs, memory.keys)
        if not known:
            memory.workspace, memory.keys = WORKSPACE, open_workspace(outputs)
        if PEOPLE[0].value not in memory.keys:
            memory.keys |= keys_for_people(outputs)
        missing = prepare(outputs, url)
        memory.engine, memory.url = installed_version(), url
        folder.save()
        return known, missing

    def _resume(self, url: str) -> int:
        self._progress.step("Resuming enrolments and sends")
        try:
            key = self._folder.memory.keys["secret"]
            resumed = resume_enrolments(url, key)
            resume_sends(url, key)
        except CommandFailed as error:
            self._progress.warn(f"Enrolments or sends were not resumed. {error}")
            return 0
        return resumed


def _tell_topics(carriers: Carriers, outputs: Mapping[str, str]) -> None:
    """Whom the carriers tell what: as far as the template names it, since small ones are tried here too."""
    for mails in ("MarketingMails", "TransactionalMails"):
        if mails in outputs and "FeedbackTopicArn" in outputs:
            carriers.configure(outputs[mails], outputs["FeedbackTopicArn"])
    if "SmsConfigurationSet" in outputs and "SmsEventsTopicArn" in outputs:
        carriers.configure_sms(outputs["SmsConfigurationSet"], outputs["SmsEventsTopicArn"])
    if "SmsInboundTopicArn" in outputs:
        carriers.receive_sms(outputs["SmsInboundTopicArn"])
    if "MailInboundTopicArn" in outputs:
        carriers.receive_mails(outputs["MailInboundTopicArn"])
