"""The `tidings` command against a running system: what it finds by itself, operators' commands, replay."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.local_system import LocalSystem, eventually

ROOT = Path(__file__).parents[2]


def tidings(
    *arguments: str | Path, cwd: Path | None = None, stdin: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command as a person does, with nothing in the environment that names a system."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TIDINGS_"))}
    return subprocess.run(
        [sys.executable, "-m", "tidings_cli.main", *map(str, arguments)],
        env=kept | {"AWS_EC2_METADATA_DISABLED": "true"} | environment,
        cwd=cwd or ROOT,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def credentials(local: LocalSystem) -> dict[str, str]:
    """What an operator's environment holds."""
    return {
        "AWS_ENDPOINT_URL": local.aws,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "000000000000",
        "AWS_SECRET_ACCESS_KEY": "local",
    }


def test_it_finds_the_local_system_of_a_folder_above(local: LocalSystem, tmp_path: Path) -> None:
    (tmp_path / ".tidings").mkdir()
    (tmp_path / ".tidings" / "local").symlink_to(local.state)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    done = tidings("template", "list", "--json", cwd=below)
    assert done.returncode == 0, done.stderr
    assert isinstance(json.loads(done.stdout), list)


def test_an_automation_goes_from_a_file_to_people(local: LocalSystem, tmp_path: Path) -> None:
    state = ("--state", local.state)
    template, automation = tmp_path / "cli-hello.yaml", tmp_path / "cli-hello-automation.yaml"
    template.write_text("template: cli-hello\nsubject: Hello\ntext: Hello {{ contact.first_name }}\n")
    automation.write_text(
        "automation: cli-hello\ntrigger: {event: CLI Tried}\nstart: hello\n"
        "components:\n  hello: {type: send_email, template: cli-hello}\n"
    )
    refused = tidings("automation", "apply", automation, *state)
    assert refused.returncode == 1
    assert "unknown_template" in refused.stdout
    assert tidings("template", "apply", template, *state).returncode == 0
    assert "version 1 is live" in tidings("automation", "apply", automation, "--publish", *state).stdout
    assert "has not changed" in tidings("automation", "publish", "cli-hello", *state).stdout
    person = {"userId": "cli-1", "traits": {"email": "cli-1@example.com", "firstName": "Kim"}}
    local.call("POST", "/v1/identify", person, key="write")
    local.call("POST", "/v1/track", {"userId": "cli-1", "event": "CLI Tried"}, key="write")
    eventually(lambda: "delivered" in tidings("contact", "messages", "--user-id", "cli-1", *state).stdout)
    eventually(lambda: "completed" in tidings("contact", "enrolments", "--user-id", "cli-1", *state).stdout)
    assert "1. hello: accepted" in tidings("contact", "enrolments", "--user-id", "cli-1", *state).stdout
    assert "completed" in tidings("automation", "history", "cli-hello", "--enrolments", *state).stdout
    assert '"Kim"' in tidings("contact", "show", "--email", "cli-1@example.com", *state).stdout


def test_a_suppressed_address_is_told_and_released(local: LocalSystem) -> None:
    state = ("--state", str(local.state))
    assert tidings("suppression", "add", "email", "cli@example.com", *state).returncode == 0
    assert tidings("suppression", "check", "email", "cli@example.com", *state).returncode == 1
    assert "manual" in tidings("suppression", "show", "email", "cli@example.com", *state).stdout
    assert tidings("suppression", "remove", "email", "cli@example.com", *state).returncode == 0
    assert tidings("suppression", "check", "email", "cli@example.com", *state).returncode == 0
    gone = tidings("suppression", "show", "email", "cli@example.com", *state)
    assert (gone.returncode, gone.stdout) == (1, "")
    assert "not_suppressed" in gone.stderr


def test_operators_open_workspaces_and_keys(local: LocalSystem, credentials: dict[str, str]) -> None:
    made = tidings("workspace", "create", "cli-acme", "--from", "Acme <a@acme.example>", **credentials)
    assert made.returncode == 0, made.stderr
    again = tidings("workspace", "create", "cli-acme", **credentials)
    assert (again.returncode, "workspace_exists" in again.stderr) == (1, True)
    key = tidings("key", "create", "--workspace", "cli-acme", "--kind", "secret", **credentials).stdout.strip()
    assert key.startswith("sk_")
    listed = tidings("template", "list", "--json", "--url", local.url, "--key", key)
    assert [one["template"] for one in json.loads(listed.stdout)] == ["who-are-you", "who-are-you-text"]
    assert tidings("key", "revoke", "-", stdin=f"{key}\n", **credentials).returncode == 0
    assert tidings("key", "revoke", "sk_unknown", **credentials).returncode == 1
    nowhere = tidings("key", "create", "--workspace", "nowhere", "--kind", "write", **credentials)
    assert "tidings workspace create nowhere" in nowhere.stderr


def test_a_stack_that_is_not_there_is_one_sentence(local: LocalSystem, credentials: dict[str, str]) -> None:
    done = tidings("replay", "--stack", "nowhere", **credentials)
    assert (done.returncode, done.stdout) == (1, "")
    assert "There is no stack nowhere in us-east-1" in done.stderr


def test_what_was_set_aside_is_replayed_and_what_fails_again_stays(
    local: LocalSystem, credentials: dict[str, str]
) -> None:
    queue = local.outputs["SetAsideQueueUrl"]
    sqs = local.client("sqs")
    sqs.purge_queue(QueueUrl=queue)  # what another test set aside
    for entry in (record("1", "replayed-1"), record("2", "replayed-2"), broken("3")):
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(entry))
    done = tidings("replay", "--json", **credentials)
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout) == {"taken_in": 2, "set_aside_again": 1, "refused": {}}
    for person in ("replayed-1", "replayed-2"):
        assert len(local.call("GET", f"/v1/contacts?user_id={person}").json["contacts"]) == 1
    assert "1 failed again" in tidings("replay", **credentials).stdout
    sqs.purge_queue(QueueUrl=queue)
    assert "is empty" in tidings("replay", **credentials).stdout


def record(sequence: str, user: str) -> dict[str, Any]:
    """A record of the events stream as react sets it aside."""
    image = {
        "pk": f"local#user#{user}",
        "sk": f"m-{user}",
        "received_at": "2026-11-21T09:00:00.000000Z",
        "type": "track",
        "name": "Replayed",
        "body": json.dumps({"at": "2026-11-21T09:00:00.000000Z", "user": user}),
    }
    return {"eventName": "INSERT", "dynamodb": {"SequenceNumber": sequence, "NewImage": plain(image)}}


def broken(sequence: str) -> dict[str, Any]:
    """A record that no react can take in."""
    return {"eventName": "INSERT", "dynamodb": {"SequenceNumber": sequence, "NewImage": plain({"pk": "local#user#x"})}}


def plain(image: dict[str, str]) -> dict[str, dict[str, str]]:
    """An image as DynamoDB writes it."""
    return {name: {"S": value} for name, value in image.items()}
