"""What `tidings sending` does through the API."""

from __future__ import annotations

from typing import Any

from tidings_cli.client import Client
from tidings_cli.printing import FAILED, OK, escape, print_fields, print_json, say, when


def status(client: Client, as_json: bool) -> int:
    """Show whether marketing may be sent; 1 if it is stopped."""
    told = client.get("sending")
    if as_json:
        print_json(told)
    else:
        _show(told)
    return int(told["state"] == "stopped")


def resume(client: Client, as_json: bool) -> int:
    """Let marketing go on."""
    told = client.post("sending", "resume")
    if as_json:
        print_json(told)
        return 0
    say(f"{OK} Marketing goes on. What was counted until now is not held against it again.")
    return 0


def _show(told: dict[str, Any]) -> None:
    sign = FAILED if told["state"] == "stopped" else OK
    words = {"good": "Marketing may be sent.", "warned": "Marketing may be sent, but:", "stopped": "Marketing stopped:"}
    say(f"{sign} {words[told['state']]} {escape(told['why'])}".rstrip())
    counts, rates, limits = told["counts"], told["rates"], told["limits"]
    print_fields(
        [
            ("since", when(told["since"]) if told["since"] else "–"),
            (f"sent in {told['days']} days", str(counts["sent"])),
            ("bounced", _share(counts["bounced"], rates["bounced"], limits["bounces_warn"], limits["bounces_stop"])),
            (
                "complained",
                _share(counts["complained"], rates["complained"], limits["complaints_warn"], limits["complaints_stop"]),
            ),
        ]
    )


def _share(number: int, rate: float, warn: float, stop: float) -> str:
    return f"{number}, {rate:.2%} (warning from {warn:.2%}, stop from {stop:.2%})"
