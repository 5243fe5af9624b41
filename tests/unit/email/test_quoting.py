"""What somebody wrote, and what they only quoted."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.email.quoting import written

OURS = "reply+acme.abcdefghijklmnopq@in.acme.example"

CUT = {
    "marked lines to the end": "Yes.\n\n> Is it open?\n> Or not?",
    "with who wrote them": "Yes.\n\nOn Fri, 21 Nov 2026 at 9:00, Acme <a@acme.example> wrote:\n\n> Is it open?",
    "in Polish": "Yes.\n\nW dniu 21.11.2026 o 9:00 Acme <a@acme.example> napisał(a):\n> Czy otwarte?\n",
    "broken in two lines": "Yes.\n\nOn Fri, 21 Nov 2026 at 9:00, Acme Support Team\n<a@acme.example> wrote:\n> Open?",
    "broken before its last word": "Yes.\n\nAm 21.11.2026 um 9:00 hat Acme <a@acme.example>\nschrieb:\n> Offen?",
    "without an empty line": "Yes.\nOn 21 Nov, Acme <a@acme.example> wrote:\n> Open?",
    "our address, nothing marked": f"Yes.\n\nOn Fri, 21 Nov 2026, Acme <{OURS}> wrote:\n\nIs it open?\nOr not?",
    "our address on a line of its own": f"Yes.\n\nOn Fri, 21 Nov 2026 at 9:00, Acme\n<{OURS.upper()}> wrote:\nOpen?",
    "dashes": "Yes.\n\n-----Original Message-----\nFrom: Acme\nOpen?",
    "dashes in German": "Yes.\n\n-----Ursprüngliche Nachricht-----\nVon: Acme\n",
    "underscores": "Yes.\n\n________________________________\nFrom: Acme <a@acme.example>",
    "headers": "Yes.\n\nFrom: Acme <a@acme.example>\nSent: Friday\nTo: Ada\nSubject: Open?\n\nIs it open?",
    "headers in Polish": "Yes.\n\nOd: Acme <a@acme.example>\nWysłano: piątek\nDo: Ada\n\nCzy otwarte?",
}


@pytest.mark.parametrize("text", CUT.values(), ids=CUT)
def test_what_is_quoted_is_cut_off(text: str) -> None:
    assert written(text, OURS) == "Yes."


KEPT = {
    "nothing quoted": "Yes.\n\nBest,\nAda",
    "answers between the lines": "> Is it open?\nYes.\n> On Sunday?\nNo.",
    "answers between the lines below our address": f"See below.\nOn Fri, Acme <{OURS}> wrote:\n> Open?\nYes.",
    "a colon": "These are the days:\n\nMonday",
    "our address in a sentence": f"Shall I write to {OURS} again?",
    "one header": "From: Ada a@b.example\nand so on",
    "a short rule": "Yes.\n---\nAda",
    "nothing but a quotation": "> Is it open?",
}


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_what_was_written_is_kept(text: str) -> None:
    assert written(text, OURS) == text


@given(st.text(alphabet="ab >:@<-_\n.", max_size=300))
def test_nothing_is_made_up_and_nothing_comes_out_empty(text: str) -> None:
    found = written(text, OURS)
    assert found in "\n".join(text.splitlines()) or found in text
    assert bool(found) == bool(text.strip())


@pytest.mark.parametrize("piece", ["-" * 50, "> ", "From: a@b ", "a: " * 20, "<", "_" * 9, ":\n", "> :\n"])
def test_no_text_takes_long(piece: str) -> None:
    began = time.process_time()
    written(piece * (200_000 // len(piece)), OURS)
    assert time.process_time() - began < 2
