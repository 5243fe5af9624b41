"""The stories that docs/writing-automations.md tells come true, and one that lies is found out."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.stories import Story, WrongStory
from tests.support.world import World
from tests.unit.docs.blocks import DOCS, ROOT, Block, blocks_of

from tidings.automations.definition.source import read

# Lines from the end of a block to the beginning of the next, if they belong together.
CLOSE = 2
GUIDE = DOCS / "writing-automations.md"
AUTOMATION = """
automation: hello
trigger: {event: Signed Up, where: {trait: plan, is: team}}
start: tips
components:
  tips: {type: send_email, template: tips, next: pause}
  pause: {type: wait, for: 1 day, next: more}
  more: {type: send_email, template: more}
"""
TRUE = ["ada is known {plan: team}", "ada does Signed Up", "ada enters", "ada gets tips", "ada waits at pause"]


def stories() -> list[tuple[Block, list[dict[str, Any]]]]:
    """Each story with what it is about: the files that it names, or the automations right before it."""
    found: list[tuple[Block, list[dict[str, Any]]]] = []
    before: list[dict[str, Any]] = []
    line, told = 0, False
    for block in blocks_of(GUIDE):
        is_next, line = block.line - line <= CLOSE, block.line + block.text.count("\n") + 1
        if block.kind == "yaml automation":
            before = [*(before if is_next and not told else []), read(block.text)]
        elif block.info[:1] == ("story",):
            named = [read((ROOT / name).read_text(encoding="utf-8")) for name in block.info[1:]]
            found.append((block, named or (before if is_next else [])))
        told = block.kind != "yaml automation"
    return found


@pytest.mark.parametrize(("block", "automations"), [pytest.param(*told, id=str(told[0])) for told in stories()])
def test_a_story_comes_true(
    world: World, monkeypatch: pytest.MonkeyPatch, block: Block, automations: list[dict[str, Any]]
) -> None:
    assert automations, "no automation stands before it"
    Story.of(world, automations, monkeypatch).tell(block.text)


@pytest.mark.parametrize(
    ("lie", "found_out"),
    [
        ("ada does not enter", "entered 1 times"),
        ("ada gets more", "tips"),
        ("ada gets nothing", "tips"),
        ("ada waits at tips", "pause"),
        ("ada takes skipped at tips", "accepted"),
        ("ada leaves by Anything", "live"),
        ("ada is done", "live"),
        ("ada reaches the goal", "None"),
        ("ada has {plan: free}", "team"),
        ("acme.example is called", "nobody called"),
        ("why ada? Because.", "They came to the component"),
        ("bob waits at pause", "never entered"),
        ("ada says nothing", "nobody understands"),
        ("", "also got tips"),
    ],
)
def test_a_story_that_lies_is_found_out(
    world: World, monkeypatch: pytest.MonkeyPatch, lie: str, found_out: str
) -> None:
    story = Story.of(world, [read(AUTOMATION)], monkeypatch)
    with pytest.raises(WrongStory, match=found_out):
        story.tell("\n".join([*TRUE[:2], lie]))


def test_a_true_story_is_believed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    Story.of(world, [read(AUTOMATION)], monkeypatch).tell("\n".join(TRUE))
