"""The outbox in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.functional.carriers.local import Local

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def test_opening_a_mail_and_clicking_in_it_is_told(local: Local, page: Page) -> None:
    sent = local.send(html=f'<h1>Welcome, Ada</h1><a href="{local.url}/landing/project">Create a project</a>')
    page.goto(f"{local.url}/outbox")
    page.get_by_role("link", name="ada@example.com").click()
    mail = page.frame_locator("iframe")
    expect(mail.get_by_role("heading", name="Welcome, Ada")).to_be_visible()
    expect(page.locator(".letter .chip.opened")).to_be_visible()
    with page.context.expect_page() as opened:
        mail.get_by_role("link", name="Create a project").click()
    opened.value.wait_for_url(f"{local.url}/landing/project")
    expect(page.locator(".letter .chip.clicked")).to_be_visible()
    assert local.types(sent) == ["Send", "Delivery", "Open", "Click"]
    assert local.events(sent)[-1]["click"]["link"] == f"{local.url}/landing/project"
    assert local.landed == ["/landing/project"]


def test_a_script_in_a_mail_does_not_run(local: Local, page: Page) -> None:
    evil = (
        "<p id=seen>Hello</p><script>document.getElementById('seen').textContent = 'ran'; top.document.title = 'ran';"
        "fetch('/outbox/api/mails', {method: 'DELETE'})</script>"
        "<img src='data:,x' onerror=\"document.getElementById('seen').textContent = 'ran'\">"
        f"<form action='{local.url}/outbox/empty' method=post><button>Win</button></form>"
        "<iframe src='javascript:parent.document.title=1'></iframe><a href='javascript:document.title=2'>js</a>"
    )
    sent = local.send(html=evil)
    for address in (f"{local.url}/outbox/mails/{sent}", f"{local.url}/outbox/mails/{sent}/body"):
        page.goto(address)
        mail = page.frame_locator("iframe").first if address.endswith(sent) else page
        expect(mail.locator("#seen")).to_have_text("Hello")
        mail.get_by_role("button", name="Win").click()
        expect(mail.locator("#seen")).to_have_text("Hello")
        assert "ran" not in page.title()
    assert len(local.get("/outbox/api/mails").json) == 1


def test_a_page_follows_what_happens(local: Local, page: Page) -> None:
    page.goto(f"{local.url}/outbox")
    expect(page.get_by_role("heading", name="Nothing was sent yet")).to_be_visible()
    sent = local.send("ada@example.com", simple={"Subject": {"Data": "Just now"}})
    expect(page.get_by_text("Just now")).to_be_visible()
    local.post(f"/outbox/api/mails/{sent}/complain")
    expect(page.locator(".row .chip.complained")).to_be_visible()


def test_following_along_opens_nothing_again(local: Local, page: Page) -> None:
    sent = local.send()
    page.goto(f"{local.url}/outbox/mails/{sent}")
    expect(page.locator(".letter .chip.opened")).to_be_visible()
    page.get_by_role("button", name="Mark as spam").click()
    expect(page.locator(".letter .chip.complained")).to_be_visible()
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Mailbox full").click()
    expect(page.locator(".letter .chip.bounced")).to_be_visible()
    assert local.types(sent) == ["Send", "Delivery", "Open", "Complaint", "Bounce"]
    assert local.events(sent)[-1]["bounce"]["bounceSubType"] == "MailboxFull"


def test_the_outbox_is_emptied_and_an_address_released_by_hand(local: Local, page: Page) -> None:
    local.post(f"/outbox/api/mails/{local.send('ada@example.com')}/complain")
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{local.url}/outbox")
    page.get_by_role("button", name="Empty outbox").click()
    expect(page.get_by_role("heading", name="Nothing was sent yet")).to_be_visible()
    page.get_by_role("link", name="Account").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Nobody is on it.")).to_be_visible()


def test_tabs_and_widths_switch(local: Local, page: Page) -> None:
    sent = local.send()
    page.goto(f"{local.url}/outbox/mails/{sent}")
    frame = page.locator("iframe")
    page.get_by_role("button", name="Phone").click()
    expect(frame).to_have_css("width", "390px")
    page.get_by_role("tab", name="Headers").click()
    expect(page.get_by_role("cell", name=f"<{sent}@")).to_be_visible()
    expect(frame).to_be_hidden()


def text(local: Local, body: str, origin: str = "+48455500100") -> str:
    call = {"DestinationPhoneNumber": "+48600100200", "ConfigurationSetName": "texts", "OriginationIdentity": origin}
    return str(local.sms.send_text_message(MessageBody=body, **call)["MessageId"])


def answer_twice(page: Page) -> None:
    """Answer by keyboard, and again without touching anything else."""
    answer = page.get_by_label("Answer", exact=True)
    for word in ("TAK", "Thanks"):
        answer.fill(word)
        answer.press("Enter")
        expect(page.locator(".bubble.in").last).to_contain_text(word)
        expect(answer).to_be_focused()
        expect(answer).to_have_value("")


def test_a_text_message_is_answered_on_the_phone_by_keyboard(local: Local, page: Page) -> None:
    text(local, "Reply TAK")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{local.url}/outbox/sms")
    page.get_by_role("link", name="+48600100200").press("Enter")
    answer_twice(page)
    assert local.carriers.drain()
    assert local.published[-1].event["messageBody"] == "Thanks"


def test_the_answer_stays_where_it_is_typed_even_before_the_script_has_come(local: Local, browser: Browser) -> None:
    text(local, "Reply TAK")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{local.url}/outbox/sms/+48600100200/+48455500100")
    answer_twice(page)
    context.close()


def test_the_phone_shows_parts_price_and_what_becomes_of_a_text(local: Local, page: Page) -> None:
    text(local, "Zażółć gęślą jaźń. " * 5)
    page.goto(f"{local.url}/outbox/sms/+48600100200/+48455500100")
    bubble = page.locator(".bubble.out")
    expect(bubble.locator(".cut")).to_have_text(["part 1 of 2", "part 2 of 2"])
    expect(bubble).to_contain_text("2 parts · Unicode · $0.06")
    bubble.locator("summary").press("Enter")
    expect(bubble).to_contain_text("TEXT_DELIVERED")
    bubble.get_by_label("What happens next").select_option("TEXT_UNREACHABLE")
    bubble.get_by_role("button", name="Let it happen").press("Enter")
    expect(bubble.locator(".chip")).to_have_text("unreachable")


def test_a_link_in_a_text_leads_there_in_a_window_of_its_own(local: Local, page: Page) -> None:
    text(local, f"Your table: {local.url}/landing/table.")
    page.goto(f"{local.url}/outbox/sms/+48600100200/+48455500100")
    with page.context.expect_page() as opened:
        page.locator(".bubble a").click()
    opened.value.wait_for_url(f"{local.url}/landing/table")
    assert local.landed == ["/landing/table"]


def test_a_text_message_runs_no_script(local: Local, page: Page) -> None:
    text(local, "<script>document.title = 'ran'</script> <img src=x onerror=\"document.title='ran'\">")
    page.goto(f"{local.url}/outbox/sms/+48600100200/+48455500100")
    expect(page.locator(".bubble.out")).to_contain_text("<script>")
    assert "ran" not in page.title()


def test_a_name_says_why_it_cannot_be_answered(local: Local, page: Page) -> None:
    text(local, "Your code is 4821", origin="TIDINGS")
    page.goto(f"{local.url}/outbox/sms/+48600100200/TIDINGS")
    expect(page.get_by_text("TIDINGS cannot be answered.")).to_be_visible()
    expect(page.get_by_label("Answer", exact=True)).to_have_count(0)


def test_a_person_writes_first_and_sees_what_comes_back_without_a_jump(local: Local, page: Page) -> None:
    page.goto(f"{local.url}/outbox/sms")
    page.get_by_text("Write as a person").click()
    page.get_by_label("To our number").select_option("+48455500100")
    page.get_by_label("Text", exact=True).fill("Are you open?")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".bubble.in")).to_contain_text("Are you open?")
    place = page.locator(".composer").bounding_box()
    text(local, "We are, until ten.")
    expect(page.locator(".bubble.out")).to_contain_text("until ten")
    assert page.locator(".composer").bounding_box() == place


def test_a_draft_answer_survives_what_comes_in_meanwhile(local: Local, page: Page) -> None:
    text(local, "Hello")
    page.goto(f"{local.url}/outbox/sms/+48600100200/+48455500100")
    page.get_by_label("Answer", exact=True).fill("I am just wri")
    text(local, "Are you there?")
    expect(page.locator(".bubble.out").last).to_contain_text("Are you there?")
    expect(page.get_by_label("Answer", exact=True)).to_have_value("I am just wri")


def test_a_mail_is_answered_with_a_file(local: Local, page: Page) -> None:
    topic = "arn:aws:sns:eu-central-1:111122223333:received"
    local.carriers.receive_mails(topic)
    page.goto(f"{local.url}/outbox/mails/{local.send()}")
    page.get_by_role("tab", name="Answer").click()
    page.get_by_label("Answer as ada@example.com").fill("Thanks, Friday is fine")
    page.get_by_label("Files").set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"hello"})
    page.get_by_role("button", name="Send answer").click()
    expect(page.get_by_role("tab", name="Answer 1")).to_be_visible()
    assert local.wait_for(topic, 1)[0]["notificationType"] == "Received"


def test_a_number_and_a_registration_are_set_by_hand(local: Local, page: Page) -> None:
    page.goto(f"{local.url}/outbox/account")
    page.get_by_role("row", name="+48455500100").get_by_role("button").click()
    expect(page.get_by_role("row", name="+48455500100").get_by_role("button")).to_have_text("Let Tidings answer STOP")
    page.get_by_label("Sender ID").fill("ACME")
    page.get_by_label("Country").fill("sg")
    page.get_by_role("button", name="Register").click()
    page.get_by_role("button", name="Complete").click()
    expect(page.locator(".chip.good")).to_have_text("complete")
