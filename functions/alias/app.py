"""Woken by POST /v1/alias and /v1/a: stores one alias call of a tracking SDK, with one write and no reads."""

from __future__ import annotations

from tidings.activity.endpoint import single_call

handler = single_call("alias")
