"""The parts of text messages, counted as sms-segments-calculator of npm counts them."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable

import pytest
from tests.e2e.sdks.installed import SDKS, environment

from tidings.messages.parts import ALPHABET, EXTENDED, measure

TEXTS = 2500  # of each kind
LENGTHS = [(0, 12), (60, 75), (130, 140), (150, 165), (196, 206), (300, 312), (0, 700)]
POLISH = "ąćęłńóśźżĄĆĘŁŃÓŚŹŻ"
SHOWN_AS_ONE = ["👨‍👩‍👧‍👦", "🇵🇱", "👍🏽", "👩‍🚀", "❤️", "1️⃣", "e\u0301", "🏳️‍🌈", "🚀🏽", "\r\n"]
GSM = sorted(ALPHABET)

Draw = Callable[[random.Random], str]
KINDS: dict[str, Draw] = {
    "all of GSM-7": lambda draw: draw.choice(GSM),
    "extension characters": lambda draw: draw.choice(sorted(EXTENDED) if draw.random() < 0.5 else GSM),
    "Polish": lambda draw: draw.choice(POLISH + "abc def"),
    "surrogates": lambda draw: chr(draw.randint(0x1F300, 0x1F64F)) if draw.random() < 0.5 else draw.choice(GSM),
    "shown as one": lambda draw: draw.choice(SHOWN_AS_ONE if draw.random() < 0.6 else GSM),
    "all together": lambda draw: draw.choice([draw.choice(GSM), draw.choice(POLISH), draw.choice("😀👍🎉€")]),
}


def texts_of(kind: str) -> list[str]:
    draw = random.Random(kind)  # noqa: S311 - the same texts in every run
    lengths = [draw.randint(*draw.choice(LENGTHS)) for _ in range(TEXTS)]
    return ["".join(KINDS[kind](draw) for _ in range(length)) for length in lengths]


def counted(texts: list[str]) -> list[tuple[str, int, int]]:
    """What the package says of each text: encoding, units and parts."""
    done = subprocess.run(
        ["node", "segments.mjs"],
        cwd=SDKS,
        env=environment({}),
        input="".join(json.dumps(text) + "\n" for text in texts),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("kind", KINDS)
def test_parts_are_those_that_the_package_counts(kind: str) -> None:
    texts = texts_of(kind)
    assert len(texts) * len(KINDS) >= 10_000
    ours = [(length.encoding, length.units, length.parts) for length in map(measure, texts)]
    differing = [text for text, own, theirs in zip(texts, ours, counted(texts), strict=True) if own != theirs]
    assert differing == []


def test_every_character_of_gsm_has_its_size() -> None:
    texts = [text for sign in GSM for text in (sign, sign * 80, sign * 81, sign * 160, sign * 161)]
    assert [(one.encoding, one.units, one.parts) for one in map(measure, texts)] == counted(texts)
