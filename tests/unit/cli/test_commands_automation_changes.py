"""`tidings automation publish|pause|resume|archive|end|lost`, against an API that is told what to answer."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from tidings_cli import lifecycle
from tidings_cli.client import Client

LOST = {"contact": "c1", "entry": "once", "version": 2, "component": "pause", "lost": "gone"}


class Api:
    """Answers one after the other, and keeps what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[Any, ...]] = []

    def post(self, *path: str, body: Any = None) -> Any:
        self.asked.append((*path, body))
        return self.answers.pop(0)

    def get(self, *path: str, **query: str) -> Any:
        self.asked.append((*path, query))
        return self.answers.pop(0)


def moved(state: str, changed: bool = True, job: str | None = None, **more: Any) -> dict[str, Any]:
    return {"automation": "tour", "state": state, "changed": changed, "job": job, **more}


def of(api: Api) -> Client:
    return cast(Client, api)


def test_a_pause_says_what_it_means(capsys: pytest.CaptureFixture[str]) -> None:
    api = Api(moved("paused"), moved("paused", changed=False))
    for _ in range(2):
        assert lifecycle.change(of(api), "tour", "pause", {"what": "all"}, as_json=False) == 0
    told = capsys.readouterr().out
    assert "tour is paused: nothing happens at all\n" in told
    assert "tour is paused: nothing happens at all, as it was" in told
    assert api.asked[0] == ("automations", "tour", "pause", {"what": "all"})


def test_an_end_says_where_to_see_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert lifecycle.change(of(Api(moved("archived", job="j-1"))), "tour", "archive", {"end": True}, as_json=False) == 0
    assert "tidings automation show tour" in capsys.readouterr().out


def test_a_resume_goes_on_page_by_page(capsys: pytest.CaptureFixture[str]) -> None:
    first = moved("live", changed=False, resumed=2, cursor="next")
    api = Api(first, {**first, "resumed": 1, "cursor": ""})
    assert lifecycle.resume(of(api), "tour", lost_only=False, contact="", entry="", as_json=False) == 0
    assert "3 enrolments go on where the execution was lost." in capsys.readouterr().out
    assert [asked[-1] for asked in api.asked] == [{"lost": False}, {"lost": True, "cursor": "next"}]


def test_a_resume_that_lifts_a_pause_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    api = Api(moved("live", job="j-1", resumed=0, cursor=""))
    assert lifecycle.resume(of(api), "tour", lost_only=False, contact="", entry="", as_json=False) == 0
    assert "tour is live" in capsys.readouterr().out


def test_those_lost_are_listed_over_all_pages(capsys: pytest.CaptureFixture[str]) -> None:
    api = Api({"enrolments": [], "cursor": "next"}, {"enrolments": [LOST], "cursor": ""})
    assert lifecycle.lost(of(api), "tour", as_json=False) == 0
    told = capsys.readouterr().out
    assert "has no execution" in told
    assert "tidings automation resume tour --lost" in told
    assert lifecycle.lost(of(Api({"enrolments": [LOST], "cursor": ""})), "tour", as_json=True) == 0
    assert json.loads(capsys.readouterr().out) == [LOST]


def test_a_dry_run_tells_what_changes_and_who_is_inside(capsys: pytest.CaptureFixture[str]) -> None:
    changes = {"keys": ["trigger"], "added": ["third"], "removed": [], "changed": ["second"]}
    inside = [{"version": 1, "live": 12, "parked": 3, "failed": 0}]
    preview = {"automation": "tour", "version": 2, "changed": True, "changes": changes, "inside": inside}
    api = Api(preview)
    assert lifecycle.publish(of(api), "tour", dry_run=True, end_inside=False, as_json=False) == 0
    told = capsys.readouterr().out
    for text in ("tour would become version 2", "keys: trigger", "added: third", "12"):
        assert text in told
    assert api.asked == [("automations", "tour", "publish", {"dry_run": True, "inside": "finish"})]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"version": 1, "changed": True, "job": None}, "tour version 1 is live"),
        ({"version": 2, "changed": True, "job": None}, "those inside an earlier version finish on it"),
        ({"version": 2, "changed": True, "job": "j"}, "those inside an earlier version are ended"),
        ({"version": 2, "changed": False, "job": None}, "tour has not changed; version 2 stays live"),
    ],
)
def test_a_publication_says_what_becomes_of_those_inside(answer: dict[str, Any], told: str) -> None:
    assert told in lifecycle.published({"automation": "tour", **answer})
