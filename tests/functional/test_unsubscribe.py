"""The way out of marketing mail: RFC 8058's one click, the preference page, and what never changes anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.letters import FORM, HTML, ONE_CLICK, Letter, Reader, decided, send
from tests.support.world import World

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.messages.unsubscribe import HIDDEN, Ticket, link_of, read_token

WRITES = ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem", "BatchExecuteStatement")


@pytest.fixture
def letter(world: World) -> Letter:
    world.template("news", text="News", html=HTML, kind="marketing")
    return send(world)


@pytest.fixture
def reader(world: World) -> Reader:
    return Reader(world)


def topic(world: World, name: str, title: str, consent: str = "opt_out") -> None:
    """Define a topic."""
    with world.recorder.unseen():
        store = DynamoWorkspaceStore(world.database)
        before = store.get("acme", consistent=True)
        assert before
        topics = {**before.policy.get("topics", {}), name: {"title": title, "consent": consent}}
        store.change_policy(before, {**before.policy, "topics": topics})


def states(world: World, order: int) -> list[str]:
    """What became of a mail about each topic."""
    return [decided(world, name, f"{name}-{order}")[0] for name in ("news", "tips", "beta")]


def writes(world: World) -> list[str]:
    return [call.operation for call in world.recorder.calls if call.operation in WRITES]


def events(world: World, name: str) -> list[dict[str, Any]]:
    return [item for item in world.items("TABLE_EVENTS") if item["name"]["S"] == name]


def reported(world: World) -> int:
    return sum(int(item.get("unsubscribed", {"N": "0"})["N"]) for item in world.items("TABLE_REPORTS"))


# --- the mail --------------------------------------------------------------------------------------------------------


def test_a_marketing_mail_has_both_headers_and_a_link_that_a_person_sees(letter: Letter) -> None:
    assert letter.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert letter.way_out.startswith("https://mail.acme.example/u/")
    assert [link for link in letter.links if link["href"] == letter.way_out and "style" in link]
    assert letter.text.endswith(f"Unsubscribe: {letter.way_out}\n")


def test_a_transactional_mail_has_neither(world: World) -> None:
    world.template("receipt", text="Paid", html=HTML, kind="transactional")
    letter = send(world, "receipt")
    assert not [name for name in letter.headers if name.startswith("List-")]
    assert "/u/" not in letter.html + letter.text
    assert "/h/" not in letter.html


def test_where_the_writer_put_the_link_none_is_added(world: World) -> None:
    html = '<body><a class="x" href="{{ unsubscribe_url }}">Leave</a></body>'
    world.template("news", text="Leave: {{ unsubscribe_url }}.", html=html, kind="marketing")
    letter = send(world)
    assert letter.text == f"Leave: {letter.way_out}."
    visible = [link for link in letter.links if "aria-hidden" not in link]
    assert visible == [{"class": "x", "href": letter.way_out, "ses:no-track": ""}]


def test_a_link_in_a_comment_is_no_way_out(world: World) -> None:
    html = '<body><!-- <a href="{{ unsubscribe_url }}">Leave</a> -->Hello</body>'
    world.template("news", html=html, kind="marketing")
    assert [link for link in send(world).links if "ses:no-track" in link]


def test_neither_we_nor_ses_count_a_click_on_the_way_out(letter: Letter) -> None:
    assert "tid=" not in letter.way_out
    for link in letter.links:
        assert ("ses:no-track" in link) == (link["href"] == letter.way_out)
        assert ("tid=" in link["href"]) == link["href"].startswith("https://acme.example")


def test_a_mail_has_a_link_that_no_person_sees_unless_the_workspace_does_not_want_it(
    world: World, letter: Letter
) -> None:
    (hidden,) = [link for link in letter.links if "/h/" in link["href"]]
    assert "display:none" in hidden["style"]
    assert (hidden["aria-hidden"], hidden["tabindex"]) == ("true", "-1")
    world.accounts.configure("acme", {"hidden_link": False})
    assert "/h/" not in send(world, key="k-9").html


def test_the_footer_names_the_sender_as_the_brand_says_and_escapes_it(world: World) -> None:
    brand = {"name": "Acme <b>", "postal_address": "7 Mill Lane", "footer": 'You "asked" for it.'}
    assert world.call("brand", "PUT /v1/brand", brand)[0] == 200
    world.template("news", text="News", html=HTML, kind="marketing")
    letter = send(world)
    assert "Acme &lt;b&gt;, 7 Mill Lane<br>You &quot;asked&quot; for it." in letter.html
    assert 'Acme <b>, 7 Mill Lane\nYou "asked" for it.\n' in letter.text


# --- one click -------------------------------------------------------------------------------------------------------

MULTIPART = (
    b"--FormBoundary\r\n"
    b'Content-Disposition: form-data; name="List-Unsubscribe"\r\n'
    b"\r\nOne-Click\r\n--FormBoundary--\r\n"
)


@pytest.mark.parametrize(("body", "kind"), [
    (ONE_CLICK, FORM),
    (MULTIPART, "multipart/form-data; boundary=FormBoundary"),
    (MULTIPART, 'multipart/form-data; boundary="FormBoundary"'),
    (ONE_CLICK, "text/plain"),
    (b"", FORM),
    (b"", ""),
    (b"\xff\xfe\x00", "application/octet-stream"),
    (b"hello=there&action=dance", FORM),
    (b"--x\r\n\r\n", "multipart/form-data"),
    (b"x" * 100_000, FORM),
    (ONE_CLICK + b"&action=back", FORM),
])  # fmt: skip
def test_a_post_unsubscribes_at_once_without_cookies_or_a_redirect(
    world: World, letter: Letter, reader: Reader, body: bytes, kind: str
) -> None:
    answer = reader.post(letter.way_out, body, kind)
    assert (answer.status_code, answer.text) == (200, "You are unsubscribed.\n")
    assert "set-cookie" not in answer.headers
    assert "location" not in answer.headers
    assert decided(world) == ("skipped", "consent")


def test_what_was_said_is_kept_with_who_when_from_where_and_by_which_mail(
    world: World, letter: Letter, reader: Reader
) -> None:
    reader.post(letter.way_out, ONE_CLICK)
    ticket = read_token(letter.way_out.rpartition("/")[2])
    assert ticket
    (item,) = [item for item in world.items("TABLE_CONSENTS") if item["sk"]["S"] == "email"]
    assert item["pk"]["S"] == f"acme#{ticket[0].key}"
    for told in ('"marketing"', '"unsubscribed"', '"person"', '"one-click"', "203.0.113.9", "2026-11-21T09", letter.id):
        assert told in item["topics"]["S"]


def test_a_repeat_changes_nothing(world: World, letter: Letter, reader: Reader) -> None:
    reader.post(letter.way_out, ONE_CLICK)
    before = {table: world.items(table) for table in ("TABLE_CONSENTS", "TABLE_EVENTS", "TABLE_REPORTS")}
    world.recorder.calls.clear()
    for hours in (0, 30):
        world._sleep(3600.0 * hours)
        assert reader.post(letter.way_out, ONE_CLICK).status_code == 200
    assert writes(world) == []
    assert {table: world.items(table) for table in before} == before


def test_it_is_told_once_for_each_mail_with_the_mail_as_its_cause(world: World, letter: Letter, reader: Reader) -> None:
    again = send(world, key="k-7")
    for _ in range(2):
        reader.post(letter.way_out, ONE_CLICK)
        reader.post(again.way_out, ONE_CLICK)
    told = events(world, "Email Unsubscribed")
    assert {item["caused_by"]["S"] for item in told} == {f"acme#message:{one.id}" for one in (letter, again)}
    assert all('"root":"call:k-' in item["body"]["S"] for item in told)
    assert reported(world) == 2
    world.pump()
    status, shown = world.call("messages", "GET /v1/messages/{message}", path={"message": letter.id})
    assert (status, shown["state"]) == (200, "accepted")
    assert "unsubscribed" in shown["history"]


def test_what_failed_half_way_is_finished_by_a_repeat(world: World, letter: Letter, reader: Reader) -> None:
    """A mailbox provider that was answered with a fault asks again: the no stands, and is counted once."""
    from botocore.exceptions import ClientError

    for failing in (1, 2):
        left = [failing]

        def fail(call: Any, left: list[int] = left) -> None:
            if call.operation == "TransactWriteItems":
                left[0] -= 1
                if left[0] == 0:
                    raise ClientError({"Error": {"Code": "InternalServerError", "Message": "x"}}, call.operation)

        world.recorder.before = fail
        reader.post(letter.way_out, ONE_CLICK)
        world.recorder.before = None
    assert reader.post(letter.way_out, ONE_CLICK).status_code == 200
    assert reported(world) == 1
    assert len(events(world, "Email Unsubscribed")) == 1


def test_other_topics_still_come(world: World, letter: Letter, reader: Reader) -> None:
    topic(world, "tips", "Tips")
    world.template("tips", text="Tip", kind="marketing", topic="tips")
    tips = send(world, "tips", "t-1")
    reader.post(tips.way_out, ONE_CLICK)
    assert decided(world, "tips", "t-2") == ("skipped", "consent")
    assert decided(world, "news", "t-3") == ("accepted", "")


def test_transactional_mail_still_comes(world: World, letter: Letter, reader: Reader) -> None:
    reader.post(letter.way_out, ONE_CLICK)
    world.template("receipt", text="Paid", kind="transactional")
    assert send(world, "receipt", "r-1")


# --- what changes nothing --------------------------------------------------------------------------------------------


def test_a_scanner_that_follows_every_address_of_a_mail_unsubscribes_nobody(
    world: World, letter: Letter, reader: Reader
) -> None:
    ours = [address for address in letter.addresses if address.startswith("https://mail.acme.example/")]
    assert {address.split("/")[3] for address in ours} == {"u", "h"}
    world.recorder.calls.clear()
    for address in ours:
        for tail in ("", "?utm_source=scan", "?List-Unsubscribe=One-Click", "?action=all"):
            assert reader.get(address + tail).status_code in (200, 204)
            assert reader.head(address + tail).status_code in (200, 204)
    assert writes(world) == []
    assert decided(world) == ("accepted", "")


def test_head_answers_as_get_without_the_page(letter: Letter, reader: Reader) -> None:
    page, head = reader.get(letter.way_out), reader.head(letter.way_out)
    assert (head.status_code, head.data) == (200, b"")
    assert dict(head.headers) | {"content-length": ""} == dict(page.headers) | {"content-length": ""} or (
        head.headers["content-security-policy"] == page.headers["content-security-policy"]
    )


def test_the_hidden_link_answers_with_nothing(letter: Letter, reader: Reader) -> None:
    (hidden,) = [link["href"] for link in letter.links if "/h/" in link["href"]]
    assert (reader.get(hidden).status_code, reader.get(hidden).data) == (204, b"")
    assert reader.head(hidden).status_code == 204


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(place=st.integers(0, 400), letter_=st.sampled_from("abcdefghijklmnopqrstuvwxyz234567.-"))
def test_a_token_in_which_anything_is_changed_leads_nowhere(
    world: World, letter: Letter, reader: Reader, place: int, letter_: str
) -> None:
    base, _, token = letter.way_out.rpartition("/")
    place %= len(token)
    changed = token[:place] + letter_ + token[place + 1 :]
    if changed != token:
        for answer in (reader.get(f"{base}/{changed}"), reader.post(f"{base}/{changed}", ONE_CLICK)):
            assert answer.status_code == 404
            assert "acme" not in answer.text.lower()


def test_a_token_of_another_workspace_or_purpose_leads_nowhere(world: World, letter: Letter, reader: Reader) -> None:
    token = letter.way_out.rpartition("/")[2]
    read = read_token(token)
    assert read
    store = DynamoWorkspaceStore(world.database)
    acme, other = store.get("acme"), store.get("other")
    assert acme
    assert other
    theirs = link_of(other, read[0])  # their signature under a ticket of ours
    mine = Ticket("other", read[0].message, read[0].key, read[0].topic)
    hidden = link_of(acme, read[0], HIDDEN).rpartition("/")[2]
    nobody = link_of(other, Ticket("nobody", read[0].message, read[0].key, ""))
    wrong = [
        theirs,
        nobody,
        f"/u/{hidden}",
        f"/confirm/{token}",
        f"/h/{token}",
        "/u/x",
        f"/u/{'a' * 600}",
        "/u/a.b.c.d.e",
    ]
    pages = {reader.get(address).text for address in wrong} | {reader.post(one, ONE_CLICK).text for one in wrong[:3]}
    assert all(reader.get(address).status_code == 404 for address in wrong)
    assert len(pages) == 1  # nothing tells what of it was wrong
    assert reader.get(link_of(other, mine)).status_code == 200
    assert decided(world) == ("accepted", "")


# --- the page --------------------------------------------------------------------------------------------------------


def test_the_page_shows_the_address_masked_and_no_more_of_it(letter: Letter, reader: Reader) -> None:
    page = reader.get(letter.way_out)
    assert "a•••@people.example" in page.text
    assert "ada@" not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-robots-tag"] == "noindex"
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert '<html lang="en">' in page.text
    assert "<script" not in page.text


def test_a_person_chooses_topics_and_takes_it_back(world: World, letter: Letter, reader: Reader) -> None:
    topic(world, "tips", "Tips")
    topic(world, "beta", "Beta tests", "opt_in")
    for name in ("tips", "beta"):
        world.template(name, text="x", kind="marketing", topic=name)
    assert decided(world, "beta", "b-0") == ("skipped", "consent")
    answer = reader.press(letter.way_out, "save", "beta")
    assert answer.status_code == 200
    assert "Your choice is saved" in answer.text
    assert states(world, 1) == [
        "skipped",
        "skipped",
        "accepted",
    ]
    world._sleep(60)
    reader.press(letter.way_out, "save", "marketing", "tips")
    assert states(world, 2) == [
        "accepted",
        "accepted",
        "skipped",
    ]


def test_saving_what_is_so_already_writes_nothing(world: World, letter: Letter, reader: Reader) -> None:
    topic(world, "beta", "Beta tests", "opt_in")
    world.recorder.calls.clear()
    assert reader.press(letter.way_out, "save", "marketing", "no-such-topic").status_code == 200
    assert writes(world) == []


def test_a_no_to_everything_is_one_to_every_topic_and_can_be_taken_back(
    world: World, letter: Letter, reader: Reader
) -> None:
    topic(world, "tips", "Tips")
    topic(world, "beta", "Beta tests", "opt_in")
    for name in ("tips", "beta"):
        world.template(name, text="x", kind="marketing", topic=name)
    page = reader.press(letter.way_out, "all")
    assert "unsubscribed from everything" in page.text
    assert states(world, 1) == ["skipped"] * 3
    world._sleep(60)
    assert "You are subscribed again" in reader.press(letter.way_out, "back").text
    # What was never asked for does not come by it.
    assert states(world, 2) == [
        "accepted",
        "accepted",
        "skipped",
    ]
    world._sleep(60)
    reader.press(letter.way_out, "all")
    assert states(world, 3) == ["skipped"] * 3


def test_one_press_of_the_pages_button_leaves_and_another_comes_back(
    world: World, letter: Letter, reader: Reader
) -> None:
    assert "Done." in reader.press(letter.way_out, "leave").text
    assert decided(world, key="l-1") == ("skipped", "consent")
    world._sleep(60)
    reader.press(letter.way_out, "back")
    assert decided(world, key="l-2") == ("accepted", "")


def test_the_link_works_when_nobody_knows_the_mail_any_more(world: World, letter: Letter, reader: Reader) -> None:
    with world.recorder.unseen():
        from tests.support.world import variables

        (item,) = world.items("TABLE_MESSAGES")
        key = {"pk": item["pk"], "sk": item["sk"]}
        world.dynamodb.delete_item(TableName=variables()["TABLE_MESSAGES"], Key=key)
    assert "to you" in reader.get(letter.way_out).text
    assert reader.post(letter.way_out, ONE_CLICK).status_code == 200
    assert decided(world) == ("skipped", "consent")


def test_to_who_was_erased_the_page_says_that_nothing_is_kept(world: World, letter: Letter, reader: Reader) -> None:
    contact = letter.id.partition("-")[0]
    world.erase(contact)
    world.recorder.calls.clear()
    for answer in (
        reader.get(letter.way_out),
        reader.press(letter.way_out, "save", "marketing"),
        reader.press(letter.way_out, "back"),
        reader.press(letter.way_out, "all"),
    ):
        assert answer.status_code == 200
        assert "Nothing is kept" in answer.text
        assert "people.example" not in answer.text
        assert "<form" not in answer.text
    assert reader.post(letter.way_out, ONE_CLICK).status_code == 200
    assert writes(world) == []


def test_a_fault_is_a_page_too_and_says_to_try_again(world: World, letter: Letter, reader: Reader) -> None:
    from botocore.exceptions import ClientError

    for code, status in (("ThrottlingException", 429), ("InternalServerError", 503)):

        def fail(call: Any, code: str = code) -> None:
            if call.operation == "GetItem":
                raise ClientError({"Error": {"Code": code, "Message": code}}, call.operation)

        world.recorder.before = fail
        answer = reader.post(letter.way_out, ONE_CLICK)
        assert answer.status_code == status
        assert ("retry-after" in answer.headers) == (status == 429)
        assert "Nothing was changed" in answer.text
        world.recorder.before = None


# --- honoured at once ------------------------------------------------------------------------------------------------


def test_a_mail_that_was_decided_but_not_claimed_when_the_no_comes_is_not_sent(
    world: World, letter: Letter, reader: Reader
) -> None:
    pressed: list[int] = []

    def press(call: Any) -> None:
        is_claim = call.operation == "TransactWriteItems" and "Messages" in str(call.arguments)
        if is_claim and world.running == "send_email" and not pressed:
            pressed.append(1)
            pressed.append(reader.post(letter.way_out, ONE_CLICK).status_code)

    sent = len(world.ses.accepted)
    world.recorder.before = press
    outcome = decided(world, key="race")
    world.recorder.before = None
    assert pressed == [1, 200]
    assert outcome == ("skipped", "consent")
    assert len(world.ses.accepted) == sent


@pytest.fixture(autouse=True)
def _no_hook(world: World) -> Iterator[None]:
    yield
    world.recorder.before = None
