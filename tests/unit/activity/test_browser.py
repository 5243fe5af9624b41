"""What lets the browser SDK start."""

from __future__ import annotations

from tidings.activity.browser import sdk_settings


def test_the_sdk_reports_to_where_it_asked_and_not_on_itself() -> None:
    told = sdk_settings("pk_1", ("https", "api.acme.example"))
    ours = told["integrations"]["Segment.io"]
    assert (ours["apiKey"], ours["protocol"], ours["apiHost"]) == ("pk_1", "https", "api.acme.example/v1")
    assert told["plan"] == {"track": {"__default": {"enabled": True}}}
    # Segment's SDK would send its own figures to Segment.
    assert told["metrics"] == {"sampleRate": 0, "host": "api.acme.example/v1"}
