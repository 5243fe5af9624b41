"""The tests that segment-analytics-python ships with itself, run against us: they call the real API unless stopped."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.e2e.local_system import LocalSystem
from tests.e2e.sdks.installed import environment
from tests.e2e.workspaces import open_workspace

ROOT = Path(__file__).parents[2]
SUITE = "segment.analytics.test"
# The keys that the suite reports with and expects to be taken.
KEYS = ("testsecret", "test-init", "unicode_key", "write_key")
# Those that say nothing about us, or something that we do otherwise, and why.
DESELECTED = {
    "test_should_timeout": "expects that no server answers within 0.1 ms; a near one can",
    "test_success_on_invalid_write_key": "expects that a key nobody knows is told of a success; we say 401",
}
PASSED = 138


def test_the_suite_of_the_sdk_passes_against_us(local: LocalSystem, tmp_path: Path) -> None:
    open_workspace(local, "sdk-suite", KEYS)
    answers = tmp_path / "answers"
    answers.mkdir()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "tests.e2e.sdks.nearby", "-p", "no:cacheprovider"),
            *("-c", "/dev/null", "--rootdir", str(tmp_path), "--pyargs", SUITE),
            # Most of them wait for the SDK's own intervals.
            *("-k", " and ".join(f"not {name}" for name in DESELECTED), "-n", "4"),
        ],
        env=environment({"TIDINGS_URL": local.url, "ANSWERS": str(answers), "PYTHONPATH": str(ROOT)}),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert f"{PASSED} passed" in done.stdout
    told = sum((Counter(json.loads(path.read_text(encoding="utf-8"))) for path in answers.iterdir()), Counter[str]())
    assert list(told) == ["200"]
    assert told["200"] > 30  # requests that came through to us; how many depends on how they were batched
