"""`tidings local`: the whole system on this machine, behind one port."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tidings_cli.numbers import port, scale

DEFAULT_PORT = 4100
DEFAULT_STATE = Path(".tidings/local")


def register(subparsers: Any) -> None:
    """Describe the command and its options."""
    parser = subparsers.add_parser(
        "local",
        help="run the whole system on this machine",
        description="Deploys template.yaml to a local engine and serves it until Ctrl-C. Its data survives a stop.",
    )
    parser.add_argument(
        "--port", type=port, default=DEFAULT_PORT, metavar="N", help="the one port for people and SDKs (%(default)s)"
    )
    parser.add_argument(
        "--state", type=Path, default=DEFAULT_STATE, metavar="DIR", help="where data is kept (%(default)s)"
    )
    parser.add_argument(
        "--wait-scale", type=scale, metavar="X", help="multiply every wait of an automation by X; 0 skips"
    )
    parser.add_argument("--json", action="store_true", help="print one line of JSON when ready, and nothing else")
    parser.add_argument("--record", type=Path, metavar="FILE", help="append every AWS call of every function to FILE")
    parser.add_argument("--template", type=Path, metavar="FILE", help="deploy this template instead of the checkout's")
    parser.add_argument(
        "--geo", type=Path, metavar="FILE", help="a MaxMind DB file, by which addresses are given places"
    )


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM; 0 after a clean stop. Raises CommandFailed."""
    from tidings_cli.local.requirements import require_packages

    require_packages()
    from tidings_cli.local.run import Options, run_until_stopped

    return run_until_stopped(
        Options(
            port=args.port,
            state=args.state,
            wait_scale=args.wait_scale,
            as_json=args.json,
            record=args.record,
            template=args.template,
            geo=args.geo,
        )
    )
