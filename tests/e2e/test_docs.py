"""The commands and calls of the documentation, run in their order against a local system."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from tests.e2e.local_system import LocalSystem, eventually
from tests.e2e.sdks.installed import SDKS
from tests.e2e.sdks.snippets import run_in_browser
from tests.e2e.workspaces import person, timeline
from tests.support.patience import SECONDS
from tests.unit.docs.blocks import ANYTHING, PAGES, ROOT, Block, blocks_of, matches

from tidings.automations.definition.source import read

# Those of mobile apps are not among them: they need a phone's system.
RUN = {"python run", "js node", "js browser", "html page", "sh run", "sh stack"}
ANSWERS = {"json answer", "text answer"}
IN_BROWSER = {"js browser", "html page"}
COMMANDS = {"python run": [sys.executable, "-c"], "js node": ["node", "--input-type=module", "-e"]}

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="the pages call the API with curl")


@pytest.fixture(scope="module")
def system(local: LocalSystem) -> LocalSystem:
    """With what the pages take for granted: the examples, and somebody called Mia."""
    for path in sorted((ROOT / "examples" / "templates").glob("*.yaml")):
        assert local.call("PUT", f"/v1/templates/{path.stem}", read(path.read_text())).status == 200
    welcome = read((ROOT / "examples" / "automations" / "welcome.yaml").read_text())
    assert local.call("PUT", "/v1/automations/welcome", welcome).status == 200
    assert local.call("POST", "/v1/automations/welcome/publish", {}).status == 200
    mia = {"userId": "user-17", "traits": {"email": "mia@example.com"}}
    assert local.call("POST", "/v1/identify", mia, key="write").status == 200
    eventually(lambda: local.call("GET", "/v1/contacts?email=mia@example.com").json["contacts"])
    return local


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where commands are typed: a folder with what the checkout has, in which the files of a page can be written."""
    for inside in ROOT.iterdir():
        if inside.name not in (".git", ".tidings"):
            (tmp_path / inside.name).symlink_to(inside)
    return tmp_path


@needs_curl
@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(block.kind in RUN for block in blocks_of(page))], ids=lambda page: page.name
)
def test_what_a_page_says_can_be_typed(page: Path, system: LocalSystem, folder: Path) -> None:
    told = list(blocks_of(page))
    for block, following in zip(told, [*told[1:], None], strict=True):
        if block.info[-1:] and block.info[-1].endswith(".yaml") and block.info[0] == "yaml":
            (folder / block.info[-1]).write_text(block.text, encoding="utf-8")
        elif block.kind == "yaml template" and len(block.info) > 2:
            assert system.call("PUT", f"/v1/templates/{block.info[2]}", read(block.text)).status == 200
        elif block.kind in IN_BROWSER:
            run_in_browser(block.text, block.kind == "html page", system, partial(wait_until_known, block, system))
        elif block.kind in RUN:
            shown = following if following is not None and following.kind in ANSWERS else None
            type_until_it_holds(block, shown, system, folder)
            if block.info[0] in ("python", "js"):
                wait_until_known(block, system)


def wait_until_known(block: Block, system: LocalSystem) -> None:
    """Wait until everybody of whom a program told something is known, by an address and by what they did."""
    users = set(re.findall(r"user-\d+", block.text))
    assert users, block
    assert '"Signed Up"' in block.text, block
    for user in users:
        eventually(partial(is_known, user, system))


def is_known(user: str, system: LocalSystem) -> bool:
    """Whether a user has signed up and has an address."""
    found = person(system, user_id=user)
    did = {event["event"] for event in timeline(system, found["contact"])} if found else set()
    return "Signed Up" in did and "email" in found["traits"]


def type_until_it_holds(block: Block, shown: Block | None, system: LocalSystem, folder: Path) -> None:
    """Run a block, and if it only looks at something, again until what was reported before has come through."""
    only_looks = not any(word in block.text for word in (" -d ", " -X ", "apply", "create", "analytics"))
    deadline = time.monotonic() + (SECONDS if only_looks else 0)
    while True:
        done = run(block, system, folder)
        answered = shown is None or (done.returncode == 0 and is_shown(shown, done.stdout))
        if done.returncode == 0 and answered:
            return
        assert time.monotonic() < deadline, f"{block}: {done.stdout}{done.stderr}"
        time.sleep(0.2)


def is_shown(shown: Block, said: str) -> bool:
    """Whether what a page shows is what was said: JSON, or lines in which an ellipsis stands for anything.

    A line of nothing else stands for any lines.
    """
    if shown.kind == "json answer":
        return matches(json.loads(shown.text), json.loads(said))
    lines = [re.escape(line.rstrip()).replace(re.escape(ANYTHING), ".*") for line in shown.text.splitlines()]
    lines = [r"(?:.*\n)*.*" if line == ".*" else line for line in lines]
    said = "\n".join(line.rstrip() for line in said.splitlines())
    return re.fullmatch("\n".join(lines), said.strip("\n")) is not None


def run(block: Block, system: LocalSystem, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a block as a person in the checkout would."""
    command = COMMANDS.get(block.kind, ["bash", "-euo", "pipefail", "-c"])
    return subprocess.run(
        [*command, block.text],
        # Where Node finds the packages that a developer has installed.
        cwd=SDKS if block.kind == "js node" else folder,
        env=environment(system, with_aws=block.kind == "sh stack"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def environment(system: LocalSystem, with_aws: bool) -> dict[str, str]:
    """What the pages say the environment holds."""
    told = {
        "TIDINGS_URL": system.url,
        "TIDINGS_WRITE_KEY": system.keys["write"],
        "TIDINGS_SECRET_KEY": system.keys["secret"],
        "NO_PROXY": "127.0.0.1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    credentials = {
        "AWS_ENDPOINT_URL": system.aws,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "000000000000",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    return told | (credentials if with_aws else {})
