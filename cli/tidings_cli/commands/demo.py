"""`tidings demo`: the main job from end to end, to watch."""

from __future__ import annotations

import argparse
from typing import Any

from tidings_cli.numbers import port


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser(
        "demo",
        help="watch six people go through an automation",
        description="Starts a local system in a temporary folder, sends calls through a published SDK, and shows what "
        "happens to whom. Exit code 0 only if exactly the right messages were sent.",
    )
    parser.add_argument("--keep", action="store_true", help="leave it up afterwards, until Ctrl-C")
    parser.add_argument("--port", type=port, metavar="N", help="the port (4100, or another where that is taken)")


def run(args: argparse.Namespace) -> int:
    """Run the demo; 0 only if it came out right. Raises CommandFailed."""
    from rich.console import Console

    from tidings_cli.demo.run import choose_port, run_demo

    return run_demo(args.keep, choose_port(args.port), Console(highlight=False))
