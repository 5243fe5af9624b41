"""Woken by POST /v1/track and /v1/t: stores one track call of a tracking SDK, with one write and no reads."""

from __future__ import annotations

from tidings.activity.endpoint import single_call

handler = single_call("track")
