"""Runs what the documentation tells app developers to write for browsers, as their sites would."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

from tests.e2e.local_system import LocalSystem
from tests.e2e.sdks.browsing import serve_shop
from tests.e2e.sdks.installed import MODULES, SDKS, environment
from tests.support.browsers import chromium

# What a page says where a developer puts their own.
ADDRESS = "https://tidings.example.com"
KEY = "pk_of_your_workspace"
PAGE = '<!doctype html><meta charset="utf-8"><title>A page</title><link rel="icon" href="data:,">'


def run_in_browser(text: str, is_page: bool, system: LocalSystem, until: Callable[[], object]) -> None:
    """Open a page with some HTML in its body, or with a module that a bundler has built, `until` something holds."""
    assert ADDRESS in text
    assert KEY in text
    filled = text.replace(ADDRESS, system.url).replace(KEY, system.keys["publishable"])
    pages = {"/page.html": (PAGE + (filled if is_page else '<script src="/bundle.js"></script>')).encode()}
    if not is_page:
        pages["/bundle.js"] = _bundled(filled)
    complaints: list[str] = []
    with serve_shop(pages) as site, chromium() as browser:
        page = browser.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(f"{site}/page.html")
        until()
        page.evaluate("1")  # lets what the page has complained of come in
    assert complaints == []


def _bundled(module: str) -> bytes:
    done = subprocess.run(
        [str(MODULES / ".bin" / "esbuild"), "--bundle", "--format=iife", "--log-level=warning"],
        cwd=SDKS,
        env=environment({}),
        input=module.encode(),
        capture_output=True,
        timeout=60,
        check=True,
    )
    return done.stdout
