"""The examples are what a newcomer copies: they must be right."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tidings.automations.definition.elsewhere import Elsewhere, NamedTemplate
from tidings.automations.definition.rules import check
from tidings.automations.definition.source import read
from tidings.messages.model import TemplateInput
from tidings.messages.parts import measure
from tidings.messages.render import Filling, compile_template
from tidings_cli.ready import campaign

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
EXAMPLES = Path(__file__).parents[3] / "examples"
AUTOMATIONS = sorted((EXAMPLES / "automations").glob("*.yaml"))
TEMPLATES = sorted((EXAMPLES / "templates").glob("*.yaml"))
TEXTS = [file for file in TEMPLATES if "channel: sms" in file.read_text(encoding="utf-8")]
MAILS = [file for file in TEMPLATES if file not in TEXTS]


@pytest.mark.parametrize("file", AUTOMATIONS, ids=lambda file: file.stem)
def test_an_example_automation_has_no_problem_and_all_its_templates(file: Path) -> None:
    there = Elsewhere({one.stem: NamedTemplate("sms" if one in TEXTS else "email") for one in TEMPLATES})
    definition, problems = check(file.read_text(encoding="utf-8"), lambda _: there)
    assert problems == []
    assert definition is not None
    assert definition.automation == file.stem


@pytest.mark.parametrize("file", sorted(campaign.FOLDER.glob("*.yaml")), ids=lambda file: file.stem)
def test_what_every_workspace_begins_with_is_the_example(file: Path) -> None:
    """Two copies, since the command is installed without the examples."""
    (example,) = EXAMPLES.rglob(file.name)
    assert example.read_bytes() == file.read_bytes()


@pytest.mark.parametrize("file", MAILS, ids=lambda file: file.stem)
@pytest.mark.parametrize("known", [True, False], ids=["of a known person", "of a person without traits"])
def test_an_example_mail_renders(file: Path, known: bool) -> None:
    template = TemplateInput.model_validate(read(file.read_text(encoding="utf-8")))
    assert template.template == file.stem
    contact = {"first_name": "Ana <Maria>", "trial_ends": "2026-12-24T09:00:00Z"} if known else {}
    mail = compile_template(template).render(
        Filling({"contact": contact, "event": {}, "variables": template.variables}, NOW)
    )
    assert len(mail.subject) <= 78
    assert "{{" not in mail.subject + mail.text + mail.html
    assert ("Hello Ana <Maria>," if known else "Hello there,") in mail.text
    assert ("Hello Ana &lt;Maria&gt;," if known else "Hello there,") in mail.html
    links = re.findall(r'href="([^"]*)"', mail.html)
    assert links
    assert all(link.startswith("https://") and link in mail.text for link in links)


@pytest.mark.parametrize(
    ("name", "length"),
    [
        ("booking-question", ("Unicode", 1)),
        ("booking-question-gsm7", ("GSM", 1)),
        ("booking-confirmed", ("Unicode", 1)),
        ("booking-reminder", ("GSM", 1)),
    ],
)
def test_an_example_text_is_as_long_as_it_says(name: str, length: tuple[str, int]) -> None:
    assert {file.stem for file in TEXTS} >= {name}
    template = TemplateInput.model_validate(read((EXAMPLES / "templates" / f"{name}.yaml").read_text(encoding="utf-8")))
    assert (template.template, template.channel, template.kind) == (name, "sms", "transactional")
    values = {"contact": {"first_name": "Ada"}, "event": {"when": "17:00"}, "variables": template.variables}
    text = compile_template(template).render(Filling(values, NOW)).text
    measured = measure(text)
    assert (measured.encoding, measured.parts) == length
