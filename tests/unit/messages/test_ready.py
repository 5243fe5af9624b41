"""The templates to start from: every one is right as it comes."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tidings.messages.inlining import inlined
from tidings.messages.model import Made
from tidings.messages.render import Rendered, compile_template, filling_of
from tidings.messages.templates import read_template
from tidings_cli import ready
from tidings_cli.errors import CommandFailed
from tidings_cli.files import read_document
from tidings_cli.main import main

NOW = datetime(2026, 11, 21, tzinfo=UTC)
LINK = "https://mail.acme.example/u/token"
every = pytest.mark.parametrize("name", ready.names())


def document(name: str) -> dict[str, Any]:
    return read_document(ready.FOLDER / f"{name}.yaml", "template")


def rendered(name: str, **contact: str) -> Rendered:
    content = read_template(document(name))
    compiled = compile_template(content, Made(html=inlined(content.html)))
    return compiled.render(filling_of(content, {"contact": contact, "event": {}, "unsubscribe_url": LINK}, NOW))


class _Seen(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))


def test_there_are_six() -> None:
    assert ready.names() == ["confirmation", "newsletter", "receipt", "reminder", "welcome", "win-back"]


@every
@pytest.mark.parametrize("contact", [{"first_name": "Ada"}, {}])
def test_it_renders_whole_with_and_without_a_name(name: str, contact: dict[str, str]) -> None:
    made = rendered(name, **contact)
    for part in (made.subject, made.text, made.html):
        assert part.strip()
        assert "{{" not in part
        assert "{%" not in part
    assert ("Ada" in made.text + made.html) == bool(contact)
    assert len(made.subject) <= 50
    assert "Birchlane, 7 Mill Lane" in made.text
    assert "Birchlane, 7 Mill Lane" in made.html


@every
def test_what_it_names_has_a_default(name: str) -> None:
    import re

    content = read_template(document(name))
    parts = content.subject + content.preheader + content.text + content.html
    used = set(re.findall(r"variables\.(\w+)", parts))
    assert used == set(content.variables)


@every
def test_marketing_has_a_way_out_and_the_rest_needs_none(name: str) -> None:
    content, made = document(name), rendered(name)
    marketing = content["kind"] == "marketing"
    assert marketing == (name in ("newsletter", "welcome", "win-back"))
    for part in (made.text, made.html):
        assert (LINK in part) == marketing


@every
def test_its_html_holds_in_mail_programs(name: str) -> None:
    made = rendered(name)
    tags = _Seen(made.html).tags
    styled = [given["style"] for tag, given in tags if tag in ("td", "p", "h1") and "class" in given]
    assert styled
    assert all("color:" in style or "padding" in style or "background" in style for style in styled)
    assert "prefers-color-scheme: dark" in made.html
    assert "max-width: 620px" in made.html
    assert all(given.get("alt") for tag, given in tags if tag == "img")
    assert all(tag != "script" for tag, _ in tags)
    assert '<html lang="en">' in made.html
    assert len(made.html) < 100_000  # Gmail cuts off what is over 102 KB


def test_a_receipt_has_a_line_for_each_thing() -> None:
    made = rendered("receipt")
    assert made.html.count("€36.00") == made.html.count("€4.00") == 1
    assert "Team plan, one month (3 pieces): €36.00" in made.text


@every
def test_it_is_copied_under_a_name_of_ones_own(name: str, tmp_path: Path) -> None:
    out = tmp_path / "mine.yaml"
    assert ready.copy("mine", name, out, as_json=False) == 0
    copied = read_document(out, "template")
    assert copied == {**document(name), "template": "mine"}
    with pytest.raises(CommandFailed, match="was not written"):
        ready.copy("mine", name, out, as_json=False)


def test_what_cannot_be_copied_is_refused(tmp_path: Path) -> None:
    for name, source in (("mine", "nothing"), ("Mine!", "welcome")):
        with pytest.raises(CommandFailed):
            ready.copy(name, source, tmp_path / "x.yaml", as_json=True)


def test_the_commands_say_what_there_is(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["template", "ready", "--json"]) == 0
    assert '"win-back"' in capsys.readouterr().out
    assert main(["template", "new", "mine", "--from", "welcome", "--out", str(tmp_path / "m.yaml"), "--json"]) == 0
    assert '"from": "welcome"' in capsys.readouterr().out
