"""Woken by POST /v1/group and /v1/g: stores one group call of a tracking SDK, with one write and no reads."""

from __future__ import annotations

from tidings.activity.endpoint import single_call

handler = single_call("group")
