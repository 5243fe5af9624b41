"""How a machine repeats a webhook that was not taken: as an ASL rule, and how often, which the Task has to know.

Minutes, as faults of our own get, would be too short for a server that is being mended, and its owner is asleep; a day
would hold people back for longer than what comes after is worth. Eight attempts within five hours, two and a half as a
rule: half of each delay, since the delays are drawn by lot, so that not everybody comes back at once.
"""

from __future__ import annotations

from typing import Any

# Repeats after the first attempt; with the last one the step is `failed`, and nothing is raised any more.
RETRIES = 7
RULE: dict[str, Any] = {
    "ErrorEquals": ["WebhookUnanswered"],
    "IntervalSeconds": 10,
    "BackoffRate": 4.0,
    "MaxDelaySeconds": 7200,
    "MaxAttempts": RETRIES,
    "JitterStrategy": "FULL",
}
