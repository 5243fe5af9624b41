"""Which texts are words that mean something, and what is answered in which language."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.accounts.model import Workspace
from tidings.consent.model import Word
from tidings.contacts.model import Contact, Trait
from tidings.core.errors import InvalidInput
from tidings.messages.parts import measure
from tidings.sms.inbound import read
from tidings.sms.model import Number, Setup
from tidings.sms.wording import BRAND, TEXTS, answer_to, language_at, language_of
from tidings.sms.words import HELP, START, STOP, WORDS, fold, match

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
OURS = Number("+48732100200", "PL", two_way=True, self_managed=True)
NOTHING = Setup()


def setup(*keywords: dict[str, Any]) -> Setup:
    return Setup(keywords=keywords)


def contact(language: str = "") -> Contact:
    traits = {"language": Trait(language, NOW, "m")} if language else {}
    return Contact("acme", "c", NOW, traits=traits)


@pytest.mark.parametrize(
    "word", ["ARRET", "CANCEL", "END", "OPT-OUT", "OPTOUT", "QUIT", "REMOVE", "STOP", "TD", "UNSUBSCRIBE"]
)
def test_every_stop_word_of_aws_is_one(word: str) -> None:
    assert match(NOTHING, OURS, word).ordered is Word.STOP


@pytest.mark.parametrize(
    "text",
    [
        *('"STOP"', "\u201estop\u201d", "(stop)", "!stop"),
        *("stop", "Stop", " STOP ", "STOP.", "stop!!!", "stop ...", "Stop?!", "\tstop\n", "STOP\u2026"),
        *("\uff33\uff34\uff2f\uff30", "\u200bstop\u00a0"),
    ],
)  # fmt: skip
def test_capitals_spaces_and_punctuation_around_it_do_not_matter(text: str) -> None:
    assert match(NOTHING, OURS, text).meaning == STOP


@pytest.mark.parametrize(
    "text", ["stop it", "please stop", "don't stop", "STOP 🙏", "non-stop", "sto p", "STOPP", "", "  ", "..."]
)
def test_only_a_whole_text_is_a_word(text: str) -> None:
    assert match(NOTHING, OURS, text).meaning == ""


@given(st.text(max_size=40))
def test_folding_again_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.sampled_from(sorted(WORDS[STOP])), st.text(" \t\n\u00a0", max_size=3), st.text(".,!?;:…)", max_size=3))
def test_a_stop_word_is_one_however_it_is_dressed(word: str, spaces: str, end: str) -> None:
    for text in (word, word.upper(), word.title()):
        assert match(NOTHING, OURS, f"{spaces}{text}{spaces}{end}{spaces}").ordered is Word.STOP


def test_a_toll_free_number_of_the_usa_knows_only_stop() -> None:
    toll_free = Number("+18005550100", "US", type="TOLL_FREE")
    assert match(NOTHING, toll_free, "STOP").meaning == STOP
    assert match(NOTHING, toll_free, "UNSTOP").meaning == match(NOTHING, toll_free, "start").meaning == START
    assert match(NOTHING, toll_free, "CANCEL").meaning == ""
    own = setup({"name": "stop-us", "words": ["cancel"], "meaning": "stop"})
    assert match(own, toll_free, "CANCEL").meaning == STOP


TAK = {"name": "yes", "words": ["Tak"], "meaning": "confirm", "answer": "one"}
TAK_PL = {**TAK, "name": "yes-pl", "language": "pl", "answer": "po polsku"}
TAK_DE = {**TAK, "name": "yes-de", "language": "de", "meaning": "day", "answer": "Tag"}
TAK_HERE = {**TAK, "name": "yes-here", "number": OURS.number, "meaning": "here"}


def test_a_keyword_of_the_number_itself_comes_first_then_one_of_its_language_then_one_for_any() -> None:
    assert match(setup(TAK, TAK_PL, TAK_DE, TAK_HERE), OURS, "tak", "pl").meaning == "here"
    assert match(setup(TAK, TAK_DE, TAK_PL), OURS, "tak", "de").meaning == "day"
    assert match(setup(TAK, TAK_DE), OURS, "tak", "pl").meaning == "confirm"
    assert match(setup({**TAK, "number": "+48732100299"}), OURS, "tak").meaning == ""


def test_the_word_is_told_as_it_was_defined() -> None:
    found = match(setup(TAK), OURS, " TAK! ")
    assert (found.word, found.meaning) == ("Tak", "confirm")
    assert match(NOTHING, OURS, "stop").word == "STOP"


def test_stop_comes_before_whatever_else_a_word_means() -> None:
    both = setup(
        {"name": "a", "words": ["dosc"], "meaning": "refuse"}, {"name": "b", "words": ["dosc"], "meaning": "stop"}
    )
    assert match(both, OURS, "dosc").ordered is Word.STOP


def answer(keywords: Setup, text: str, language: str = "", number: Number = OURS) -> str:
    found = match(keywords, number, text, language_at(number))
    wording = answer_to(keywords, found, number, contact(language))
    return wording.text if wording else ""


def test_an_answer_is_in_the_persons_language_then_the_numbers_then_english() -> None:
    assert answer(NOTHING, "STOP", "de-AT") == BRAND + TEXTS[STOP]["de"]
    assert answer(NOTHING, "STOP", "fi") == BRAND + TEXTS[STOP]["pl"]
    assert answer(NOTHING, "STOP", "", Number("+358501002000", "FI")) == BRAND + TEXTS[STOP]["en"]
    assert answer(setup(TAK, TAK_PL), "tak", "pl") == "po polsku"
    assert answer(setup(TAK, TAK_PL), "tak", "fi") == "po polsku"
    assert answer(setup(TAK), "tak", "pl") == "one"
    assert answer(setup({**TAK, "answer": ""}), "tak") == ""


def test_the_owners_texts_come_before_ours() -> None:
    own = {"name": "stop", "words": [], "meaning": "stop", "answer": "Bye"}
    assert answer(setup(own), "STOP", "de") == "Bye"
    assert answer(setup(own, {**own, "name": "stop-de", "language": "de", "answer": "Ade"}), "STOP", "de") == "Ade"
    assert answer(setup(own), "HELP", "de") == BRAND + TEXTS[HELP]["de"]


@pytest.mark.parametrize(("country", "language"), [("PL", "pl"), ("AT", "de"), ("US", "en"), ("MX", "es"), ("", "")])
def test_a_number_speaks_the_main_language_of_its_country_unless_its_owner_says(country: str, language: str) -> None:
    assert language_at(Number("+1", country)) == language
    assert language_at(Number("+1", country, language="uk")) == "uk"


def test_a_persons_language_is_that_of_their_context_or_trait() -> None:
    assert language_of(contact("pl_PL")) == "pl"
    assert language_of(contact()) == ""


@pytest.mark.parametrize("meaning", TEXTS)
@pytest.mark.parametrize("language", ["en", "pl", "de", "fr", "es"])
def test_our_texts_are_one_part_with_a_name_of_twenty_letters(meaning: str, language: str) -> None:
    length = measure("x" * 20 + ": " + TEXTS[meaning][language])
    assert (length.encoding, length.parts) == ("GSM", 1)


def envelope(**told: Any) -> str:
    whole = {
        "originationNumber": "+48600100200", "destinationNumber": "48732100200", "messageKeyword": "KEYWORD_1",
        "messageBody": "TAK", "inboundMessageId": "in-1", "previousPublishedMessageId": "out-9", **told,
    }  # fmt: skip
    whole = {name: value for name, value in whole.items() if value is not None}
    return json.dumps({"Message": json.dumps(whole), "Timestamp": "2026-11-22T09:00:00.123Z"})


def test_a_text_is_read_as_aws_tells_it() -> None:
    text = read(envelope())
    assert (text.sender, text.to, text.body, text.id, text.answers) == (
        "+48600100200", "+48732100200", "TAK", "in-1", "out-9",
    )  # fmt: skip
    assert text.at == NOW.replace(microsecond=123000)
    assert (text.files, text.more) == ((), "")


@pytest.mark.parametrize(
    "told",
    [
        {"originationNumber": None}, {"originationNumber": "ACME"}, {"destinationNumber": 7}, {"messageBody": None},
        {"inboundMessageId": ""}, {"inboundMessageId": "x" * 257}, {"previousPublishedMessageId": ["x"]},
    ],
)  # fmt: skip
def test_what_is_no_text_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        read(envelope(**told))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_whatever_stands_in_the_queue_is_read_or_refused(anything: Any) -> None:
    for body in (
        json.dumps(anything),
        json.dumps({"Message": json.dumps(anything), "Timestamp": "2026-11-22T09:00:00Z"}),
    ):
        with pytest.raises(InvalidInput):
            read(body)


def test_what_rcs_brings_is_kept() -> None:
    media = {"media": [{"s3Bucket": "inbox", "s3Key": "in-1/cat.png", "mimeType": "image/png", "size": 12}]}
    text = read(envelope(messageBody=None, **media))
    assert [(file.name, file.type, file.place, file.size) for file in text.files] == [
        ("cat.png", "image/png", "s3://inbox/in-1/cat.png", 12)
    ]
    place = read(envelope(messageBody=None, location={"latitude": 52.2, "longitude": 21.0}))
    assert json.loads(place.more) == {"location": {"latitude": 52.2, "longitude": 21.0}}


def test_only_what_answers_a_stop_names_one() -> None:
    """The order that passes a STOP is made in one place."""
    from pathlib import Path

    import tidings

    package = Path(tidings.__file__).parent
    naming = [file.name for file in package.rglob("*.py") if "confirms=" in file.read_text(encoding="utf-8")]
    assert naming == ["answers.py"]
    assert Workspace("a", "A", NOW).sms == {}
