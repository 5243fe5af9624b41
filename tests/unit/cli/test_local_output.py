"""What `tidings local` says."""

import io
import json

import pytest
from rich.console import Console

from tidings_cli.local.output import JsonVoice, TerminalVoice, voice
from tidings_cli.local.system import Ready

READY = Ready(
    url="http://127.0.0.1:4100",
    outbox="http://127.0.0.1:4100/outbox",
    phone="http://127.0.0.1:4100/outbox/sms",
    number="+48455500100",
    aws="http://127.0.0.1:4566",
    workspace="local",
    keys={"publishable": "pk_[red]", "write": "wk_b", "secret": "sk_c"},
    state="/tmp/state",  # noqa: S108
    outputs={"ApiUrl": "http://127.0.0.1:4100"},
    resumed=3,
    seconds=1.5,
)


def test_scripts_get_one_line_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    with voice(as_json=True) as told:
        told.step("Starting")
        told.ready(READY)
        told.stopping()
        told.stopped()
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.count("\n") == 1
    line = json.loads(said.out)
    assert (line["url"], line["keys"]["secret"], line["resumed"]) == ("http://127.0.0.1:4100", "sk_c", 3)


def test_warnings_do_not_disturb_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    JsonVoice().warn("something")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "tidings local: something\n")


def test_people_get_steps_addresses_keys_and_what_to_do_next() -> None:
    console = Console(file=io.StringIO(), width=120, highlight=False)
    with TerminalVoice(console) as told:
        told.step("Starting the engine")
        told.step("Deploying the template")
        told.ready(READY)
        told.warn("a [strange] thing")
        told.stopping()
        told.stopped()
    assert isinstance(console.file, io.StringIO)
    said = console.file.getvalue()
    for part in (
        "✓ Starting the engine",
        "✓ Deploying the template",
        "3 enrolments go on where they were",
        "http://127.0.0.1:4100/outbox",
        "http://127.0.0.1:4100/outbox/sms (+48455500100)",
        "pk_[red]",
        "sk_c",
        "curl http://127.0.0.1:4100/v1/track -u wk_b:",
        "! a [strange] thing",
        "✓ Stopping and saving",
        "Everything is saved",
    ):
        assert part in said


def test_the_command_to_try_can_be_copied_from_a_narrow_terminal() -> None:
    console = Console(file=io.StringIO(), width=60, highlight=False)
    TerminalVoice(console).ready(READY)
    assert isinstance(console.file, io.StringIO)
    body = '{"userId":"u-1","event":"Signed Up"}'
    assert f"curl http://127.0.0.1:4100/v1/track -u wk_b: -d '{body}'\n" in console.file.getvalue()


def test_a_step_that_failed_is_not_ticked() -> None:
    console = Console(file=io.StringIO(), width=120, highlight=False)
    told = TerminalVoice(console)
    told.step("Starting the engine")
    told.__exit__(RuntimeError, RuntimeError(), None)
    assert isinstance(console.file, io.StringIO)
    assert "✗ Starting the engine" in console.file.getvalue()
