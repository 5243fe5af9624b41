"""Woken by POST /v1/ungroup: stores that somebody has left a company, with one write and no reads."""

from __future__ import annotations

from tidings.activity.endpoint import single_call

handler = single_call("ungroup")
