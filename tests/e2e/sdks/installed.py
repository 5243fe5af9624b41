"""Where the JavaScript SDKs are: installed by `make e2e`, or by hand with `npm ci` in this folder."""

from __future__ import annotations

import os
from pathlib import Path

SDKS = Path(__file__).parent
MODULES = SDKS / "node_modules"
PAGES = MODULES / "@segment" / "analytics-next" / "dist" / "umd"


def environment(told: dict[str, str]) -> dict[str, str]:
    """What a Node program is told, with nothing else of this machine but where programs are."""
    return {"PATH": os.environ["PATH"], "NO_PROXY": "127.0.0.1", **told}
