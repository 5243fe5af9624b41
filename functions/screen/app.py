"""Woken by POST /v1/screen and /v1/s: stores one screen call of a tracking SDK, with one write and no reads."""

from __future__ import annotations

from tidings.activity.endpoint import single_call

handler = single_call("screen")
