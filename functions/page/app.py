"""Woken by POST /v1/page and /v1/p: stores one page call of a tracking SDK, with one write and no reads."""

from __future__ import annotations

from tidings.activity.endpoint import single_call

handler = single_call("page")
