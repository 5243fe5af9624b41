"""Woken by POST /v1/identify and /v1/i: stores one identify call of a tracking SDK, with one write and no reads."""

from __future__ import annotations

from tidings.activity.endpoint import single_call

handler = single_call("identify")
