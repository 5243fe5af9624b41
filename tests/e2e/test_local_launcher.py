"""`tidings local` as a command: starting, stopping, what survives, and what it refuses.

A small template stands in for the real one, since none of this depends on what is deployed.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.local_system import (
    LocalSystem,
    alive,
    command,
    descendants,
    eventually,
    run_to_its_end,
    start,
)

from tidings_cli.local.engine import Engine
from tidings_cli.local.environment import clean, engine_environment

SMALL = Path(__file__).parents[1] / "unit" / "cli" / "fixtures" / "small"

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    """One that only answers questions."""
    running = start(tmp_path_factory.mktemp("small"), "--template", SMALL / "template.yaml")
    yield running
    assert running.stop() == 0


def store(system: LocalSystem, name: str) -> None:
    assert system.call("POST", "/v1/echo", {"a": 1}, x_thing=name).status == 200


def copied(system: LocalSystem, name: str) -> bool:
    """Whether the thing came through the stream."""
    return system.call("GET", f"/v1/things/{name}").status == 200


def test_it_is_ready_in_time_and_says_where_everything_is(system: LocalSystem) -> None:
    assert system.line["seconds"] < 15
    assert system.outbox == f"{system.url}/outbox"
    assert system.workspace == "local"
    assert {kind: key[:3] for kind, key in system.keys.items()} == {
        "publishable": "pk_",
        "write": "wk_",
        "secret": "sk_",
        "staff": "sk_",
        "administrator": "sk_",
        "agent": "sk_",
    }
    assert system.outputs["ApiUrl"] == system.url


def test_a_function_answers_behind_the_api(system: LocalSystem) -> None:
    answer = system.call("POST", "/v1/echo?a=1&b=%20c", {"a": 1}, key="write")
    event = answer.json["event"]
    assert answer.json["greeting"] == "hello"
    assert (event["version"], event["rawPath"], event["rawQueryString"]) == ("2.0", "/v1/echo", "a=1&b=%20c")
    assert (json.loads(event["body"]), event["isBase64Encoded"]) == ({"a": 1}, False)
    assert event["headers"]["authorization"] == f"Bearer {system.keys['write']}"


def test_a_path_of_nobody_is_not_found(system: LocalSystem) -> None:
    assert system.call("GET", "/v1/nothing").status == 404


def test_a_preflight_passes(system: LocalSystem) -> None:
    answer = system.call(
        "OPTIONS",
        "/v1/echo",
        key="",
        origin="https://shop.example",
        access_control_request_method="POST",
        access_control_request_headers="authorization,content-type",
    )
    assert answer.status in (200, 204)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "authorization" in answer.headers["access-control-allow-headers"]
    assert "POST" in answer.headers["access-control-allow-methods"]


def test_an_answer_carries_cors_headers_too(system: LocalSystem) -> None:
    answer = system.call("POST", "/v1/echo", {}, origin="https://shop.example")
    assert answer.headers["access-control-allow-origin"] == "*"


def test_binary_bodies_pass_both_ways(system: LocalSystem) -> None:
    everything = bytes(range(256)) * 20
    assert system.call("POST", "/v1/echo", everything, content_type="image/png", x_answer="binary").data == everything


def test_the_outbox_is_on_the_same_port(system: LocalSystem) -> None:
    assert system.call("GET", "/", key="").status == 200
    assert system.call("GET", "/outbox", key="").status == 200


def test_what_is_stored_runs_through_the_stream(system: LocalSystem) -> None:
    store(system, "streamed")
    assert eventually(lambda: copied(system, "streamed"))


def test_time_to_live_is_on_though_the_engine_ignores_it_in_templates(system: LocalSystem) -> None:
    table = system.outputs["TableThings"]
    described = system.client("dynamodb").describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert described == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}


def test_every_call_of_a_function_is_recorded(system: LocalSystem) -> None:
    store(system, "recorded")
    assert eventually(lambda: copied(system, "recorded"))
    seen = {(call["function"], call["action"], call["resource"].rpartition("/")[2]) for call in system.recorded()}
    assert seen == {
        ("EchoFunction", "dynamodb:PutItem", system.outputs["TableThings"]),
        ("EchoFunction", "dynamodb:GetItem", system.outputs["TableCopies"]),
        ("CopyFunction", "dynamodb:PutItem", system.outputs["TableCopies"]),
    }


def test_a_second_one_on_the_same_folder_is_refused(system: LocalSystem) -> None:
    code, said = run_to_its_end("--port", "0", "--state", system.state)
    assert code == 1
    assert said == (
        f"tidings local: Another tidings local uses the state folder {system.state}; "
        "stop it, or name another with --state DIR.\n"
    )


def test_a_taken_port_is_refused(system: LocalSystem, tmp_path: Path) -> None:
    port = system.url.rpartition(":")[2]
    code, said = run_to_its_end("--port", port, "--state", tmp_path / "state")
    assert code == 1
    assert said == (
        f"tidings local: The port {port} for the local system cannot be had (Address already in use); "
        "free it, or name another with --port.\n"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "cannot be read (Expecting property name"),
        ('{"format": 99}', "was written by another version of Tidings; remove "),
    ],
)
def test_a_broken_state_folder_is_refused(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "state.json").write_text(content)
    code, words = run_to_its_end("--port", "0", "--state", tmp_path)
    assert code == 1
    assert said in words
    assert words.count("\n") == 1


def test_a_file_as_state_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    code, words = run_to_its_end("--port", "0", "--state", tmp_path / "state")
    assert (code, words.count("\n")) == (1, 1)
    assert "is a file; name a folder with --state DIR" in words


def test_a_broken_outbox_is_refused(tmp_path: Path) -> None:
    (tmp_path / "carriers").mkdir()
    (tmp_path / "carriers" / "outbox.sqlite").write_text("not a database, but as long as the head of one " * 50)
    code, words = run_to_its_end("--port", "0", "--state", tmp_path, "--template", SMALL / "template.yaml")
    assert (code, words.count("\n")) == (1, 1)


def test_a_template_that_is_not_there_is_refused(tmp_path: Path) -> None:
    code, words = run_to_its_end("--port", "0", "--state", tmp_path / "state", "--template", tmp_path / "none.yaml")
    assert (code, words) == (2, f"tidings local: There is no template at {tmp_path / 'none.yaml'}.\n")


def test_a_template_that_cannot_be_deployed_is_refused_and_a_corrected_one_is_deployed(tmp_path: Path) -> None:
    shutil.copytree(SMALL, tmp_path / "checkout")
    template = tmp_path / "checkout" / "template.yaml"
    data = tmp_path / "checkout" / "infra" / "data.yaml"
    right = data.read_text()
    wrong = right.replace("Copies: {Value: !Ref Copies}", "Copies: {Value: !GetAtt Copies.Nothing}")
    options = ("--port", "0", "--state", tmp_path / "state", "--template", template)

    data.write_text(wrong)
    code, words = run_to_its_end(*options)
    assert (code, words.count("\n")) == (1, 1)
    assert words.startswith("tidings local: The template was not deployed: ")

    data.write_text(right)
    first = start(tmp_path, "--template", template)
    store(first, "kept")
    assert eventually(lambda: copied(first, "kept"))
    assert first.stop() == 0

    data.write_text(wrong)
    assert run_to_its_end(*options)[0] == 1

    data.write_text(right)
    second = start(tmp_path, "--template", template)
    try:
        assert second.keys == first.keys
        assert copied(second, "kept")
    finally:
        assert second.stop() == 0


@on_linux
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly_and_leaves_no_process_behind(tmp_path: Path, number: signal.Signals) -> None:
    running = start(tmp_path, "--template", SMALL / "template.yaml")
    store(running, "x")
    started = descendants(running.process.pid)
    assert len(started) >= 2
    assert running.stop(number) == 0
    assert alive(started) == set()
    assert running.process.stderr is not None
    assert running.process.stderr.read() == ""
    assert not (running.state / "engine.json").exists()


def test_an_engine_that_cannot_start_is_told_with_its_last_words(system: LocalSystem, tmp_path: Path) -> None:
    port = int(system.aws.rpartition(":")[2])
    told = clean(os.environ) | engine_environment(port, tmp_path, None)
    engine = Engine(tmp_path, port, told)
    engine.start()
    # Somebody answers on that port, so what tells is that our own process ended.
    eventually(engine.ended)
    assert not engine.stop()
    assert "already in use" in engine.log.read_text()


@on_linux
def test_a_signal_during_the_start_stops_it_too(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("--port", "0", "--state", tmp_path / "state", "--template", SMALL / "template.yaml"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    started = eventually(lambda: descendants(process.pid))
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert alive(started) == set()


def test_state_survives_a_stop_and_start(tmp_path: Path) -> None:
    first = start(tmp_path, "--template", SMALL / "template.yaml")
    for name in ("a", "b", "c"):
        store(first, name)
    assert first.stop() == 0
    second = start(tmp_path, "--template", SMALL / "template.yaml", port=int(first.url.rpartition(":")[2]))
    try:
        for what in ("url", "aws", "workspace", "keys", "outputs"):
            assert getattr(second, what) == getattr(first, what)
        # What was stored right before the stop is copied by now, or was delivered after the start.
        assert all(copied(second, name) for name in ("a", "b", "c"))
        # The engine by itself would skip three records here.
        store(second, "d")
        assert eventually(lambda: copied(second, "d"))
    finally:
        assert second.stop() == 0


def test_what_a_function_failed_on_until_the_stop_is_delivered_when_it_was_mended(tmp_path: Path) -> None:
    shutil.copytree(SMALL, tmp_path / "checkout")
    template = tmp_path / "checkout" / "template.yaml"
    copy = tmp_path / "checkout" / "functions" / "copy" / "app.py"
    right = copy.read_text()

    copy.write_text("def handler(event, context):\n    raise RuntimeError('broken')\n")
    first = start(tmp_path, "--template", template)
    store(first, "waiting")
    assert first.stop() == 0

    second = start(tmp_path, "--template", template)
    assert second.stop() == 0
    assert second.process.stderr is not None
    assert "Functions failed on 1 records of streams" in second.process.stderr.read()

    copy.write_text(right)
    third = start(tmp_path, "--template", template)
    try:
        assert copied(third, "waiting")
    finally:
        assert third.stop() == 0


def test_what_the_checkout_changed_is_deployed_and_data_is_kept(tmp_path: Path) -> None:
    shutil.copytree(SMALL, tmp_path / "checkout")
    template = tmp_path / "checkout" / "template.yaml"
    first = start(tmp_path, "--template", template)
    store(first, "kept")
    assert eventually(lambda: copied(first, "kept"))
    assert first.stop() == 0
    (tmp_path / "checkout" / "layers" / "shared" / "small_shared" / "__init__.py").write_text('GREETING = "changed"\n')
    template.write_text(template.read_text().replace("Path: /v1/echo", "Path: /v2/echo"))
    data = tmp_path / "checkout" / "infra" / "data.yaml"
    data.write_text(data.read_text().replace("\nOutputs:\n", "  New:\n    Type: AWS::SQS::Queue\n\nOutputs:\n"))
    second = start(tmp_path, "--template", template)
    try:
        assert second.outputs["TableThings"] == first.outputs["TableThings"]
        assert len(second.client("sqs").list_queues()["QueueUrls"]) == 1
        assert copied(second, "kept")
        assert second.call("POST", "/v2/echo", {}).json["greeting"] == "changed"
        assert second.call("POST", "/v1/echo", {}).status == 404
        store_path = second.call("POST", "/v2/echo", {"a": 1}, x_thing="after")
        assert store_path.status == 200
        assert eventually(lambda: copied(second, "after"))
    finally:
        assert second.stop() == 0


@on_linux
def test_what_a_killed_launcher_left_behind_is_saved_at_the_next_start(tmp_path: Path) -> None:
    first = start(tmp_path, "--template", SMALL / "template.yaml")
    store(first, "kept")
    assert eventually(lambda: copied(first, "kept"))
    left = descendants(first.process.pid)
    first.process.kill()
    first.process.wait()
    second = start(tmp_path, "--template", SMALL / "template.yaml")
    try:
        assert alive(left) == set()
        assert second.keys == first.keys
        assert copied(second, "kept")
    finally:
        assert second.stop() == 0
