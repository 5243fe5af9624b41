"""A real browser for the tests of pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, expect, sync_playwright

from tests.support.patience import SECONDS


@contextmanager
def chromium() -> Iterator[Browser]:
    """The Chromium of this machine, or else the one that Playwright brings."""
    expect.set_options(timeout=SECONDS * 1000)
    installed = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        # A container has no user namespaces for Chromium's own sandbox; what is loaded is ours alone.
        arguments = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        opened = playwright.chromium.launch(executable_path=installed, args=arguments)
        yield opened
        opened.close()
