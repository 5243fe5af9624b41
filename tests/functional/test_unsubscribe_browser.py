"""The pages and the ready templates in a real browser: on a phone, in the dark, and with JavaScript off."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from tests.support.front import Front
from tests.support.letters import HTML, Letter, decided, send
from tests.support.world import World
from werkzeug.test import Client

from tidings.messages.inlining import inlined
from tidings.messages.model import Made
from tidings.messages.render import compile_template, filling_of
from tidings.messages.templates import read_template
from tidings_cli import ready
from tidings_cli.files import read_document

pytestmark = pytest.mark.browser

PHONE, DESK = 375, 1280
# The lowest contrast ratio of text with what is behind it, over all elements that have text of their own.
CONTRAST = """() => {
  const rgba = text => { const n = text.match(/[\\d.]+/g).map(Number); return n.length > 3 ? n : [...n, 1]; };
  const light = c => { const [r, g, b] = c.slice(0, 3).map(v => (v /= 255) <= 0.04045 ? v / 12.92
    : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = el => { for (let at = el; at; at = at.parentElement) {
    const c = rgba(getComputedStyle(at).backgroundColor); if (c[3] > 0.99) return c; } return [255, 255, 255, 1]; };
  const own = el => [...el.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
  const seen = [...document.body.querySelectorAll('*')].filter(el => own(el) && el.checkVisibility());
  return seen.map(el => { const a = light(rgba(getComputedStyle(el).color)), b = light(behind(el));
    return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), el.textContent.trim().slice(0, 40)]; })
    .sort((x, y) => x[0] - y[0])[0];
}"""


@pytest.fixture
def letter(world: World) -> Letter:
    brand = {"name": "Acme", "postal_address": "7 Mill Lane", "colour": "#ffe14d", "footer": "Since 1999."}
    assert world.call("brand", "PUT /v1/brand", brand)[0] == 200
    world.template("news", text="News", html=HTML, kind="marketing")
    return send(world)


def opened(browser: Browser, world: World | None = None, width: int = PHONE, scheme: str = "light") -> Page:
    """A page of a browser that runs no scripts, and that is answered by the world's functions."""
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        java_script_enabled=False,  # type: ignore[arg-type]
    )
    if world is not None:
        client = Client(Front(world), use_cookies=False)

        def answer(route: Route) -> None:
            asked = route.request
            given = {"data": asked.post_data_buffer, "content_type": asked.headers.get("content-type")}
            told = client.open(urlsplit(asked.url).path, method=asked.method, **given)
            route.fulfill(status=told.status_code, headers=dict(told.headers), body=told.data)

        context.route("**/*", answer)
    return context.new_page()


def require_readable(page: Page, width: int) -> None:
    """Nothing to scroll sideways for, and text that stands out from what is behind it (WCAG 2.2, level AA)."""
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ratio, text = page.evaluate(CONTRAST)
    assert ratio >= 4.5, text


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_person_leaves_and_comes_back_without_javascript(
    world: World, letter: Letter, browser: Browser, width: int, scheme: str
) -> None:
    page = opened(browser, world, width, scheme)
    page.goto(letter.way_out)
    expect(page.get_by_role("heading", name="Stop “News and offers”?")).to_be_visible()
    require_readable(page, width)
    page.get_by_role("button", name="Unsubscribe", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Done")
    require_readable(page, width)
    world.now = world.now.replace(minute=30)
    page.get_by_role("checkbox", name="News and offers").check()
    page.get_by_role("button", name="Save my choice").click()
    expect(page.get_by_role("status")).to_have_text("Your choice is saved.")
    world.now = world.now.replace(minute=40)
    page.get_by_role("button", name="Unsubscribe from everything").click()
    expect(page.get_by_role("status")).to_contain_text("from everything")
    require_readable(page, width)
    assert decided(world) == ("skipped", "consent")
    page.context.close()


def test_the_page_is_used_with_the_keyboard_alone(world: World, letter: Letter, browser: Browser) -> None:
    page = opened(browser, world)
    page.goto(letter.way_out)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Unsubscribe", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Done")
    assert decided(world) == ("skipped", "consent")
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_that_is_not_there_can_be_read_too(world: World, browser: Browser, scheme: str) -> None:
    page = opened(browser, world, PHONE, scheme)
    answer = page.goto("https://mail.acme.example/u/nothing")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", name="This page does not exist")).to_be_visible()
    require_readable(page, PHONE)
    page.context.close()


def mail(name: str) -> str:
    content = read_template(read_document(ready.FOLDER / f"{name}.yaml", "template"))
    compiled = compile_template(content, Made(html=inlined(content.html)))
    data = {"contact": {"first_name": "Ada"}, "event": {}, "unsubscribe_url": "https://mail.acme.example/u/token"}
    return compiled.render(filling_of(content, data, datetime(2026, 11, 21, tzinfo=UTC))).html


@pytest.mark.parametrize("name", ready.names())
def test_a_ready_template_can_be_read_on_a_phone_and_at_a_desk_by_day_and_night(name: str, browser: Browser) -> None:
    html = mail(name)
    for width in (PHONE, DESK):
        for scheme in ("light", "dark"):
            page = opened(browser, None, width, scheme)
            page.set_content(html)
            require_readable(page, width)
            dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 19, 20)"
            assert dark == (scheme == "dark")
            page.context.close()
