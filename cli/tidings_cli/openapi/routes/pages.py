"""The pages that links in mails lead to, and the brand that they have."""

from __future__ import annotations

from tidings.messages.branding import BrandInput
from tidings_cli.openapi.answers.base import Shape
from tidings_cli.openapi.routes.route import HTML, WRITES, Body, Key, Route

_TABLES = ("read_throttled", "write_throttled", "database_failed")
_WRITES = (*_TABLES, *WRITES, "consent_contended")
_LOOKS = "Reading it changes nothing, whoever does and however often."


class BrandShown(Shape):
    """A workspace's brand; what is empty was never set."""

    name: str
    postal_address: str
    colour: str
    logo_url: str
    footer: str


BRAND = (
    Route(
        "GET", "/v1/brand", "getBrand", "Show how pages and footers look", BrandShown, refusals=("unknown_workspace",),
    ),
    Route(
        "PUT", "/v1/brand", "setBrand", "Set how pages and footers look", BrandShown,
        body=Body(BrandInput, "brand.api"),
        about="What is left out is empty.", refusals=(*WRITES, "invalid_brand", "unknown_workspace", "policy_changed"),
    ),
)  # fmt: skip

PAGES = (
    Route(
        "GET", "/u/{token}", "getPreferences", "The page at which a person says what they still want", HTML,
        key=Key.NONE, about=_LOOKS, refusals=_TABLES, example="unsubscribe.api",
    ),
    Route("HEAD", "/u/{token}", "headPreferences", "The same without the page", {}, key=Key.NONE, refusals=_TABLES),
    Route(
        "POST", "/u/{token}", "unsubscribe", "Unsubscribe with one click, or change preferences", HTML, key=Key.NONE,
        about=(
            "RFC 8058: `List-Unsubscribe=One-Click`, as a form of either kind, unsubscribes from the topic of the mail "
            "at once, and so does a body that says nothing. The page's own forms say `action`: `leave`, `back`, "
            "`all`, or `save` with each `topic` that is wanted, of those that were `shown`."
        ),
        form={"List-Unsubscribe": ["One-Click"], "action": ["leave", "back", "all", "save"], "topic": [], "shown": []},
        refusals=_WRITES,
    ),
    Route(
        "GET", "/confirm/{token}", "getConfirmation", "The page with the button that confirms a subscription", HTML,
        key=Key.NONE, about=_LOOKS, refusals=_TABLES,
    ),
    Route("HEAD", "/confirm/{token}", "headConfirmation", "The same without the page", {}, key=Key.NONE,
          refusals=_TABLES),
    Route(
        "POST", "/confirm/{token}", "confirm", "Confirm a subscription", HTML, key=Key.NONE,
        form={"action": ["confirm"]},
        refusals=(*_WRITES, "nothing_to_confirm", "confirmation_expired", "person_erased"),
    ),
    Route(
        "GET", "/h/{token}", "getHidden", "A link that no person sees: whoever follows it is a machine", {}, status=204,
        key=Key.NONE, refusals=_TABLES,
    ),
    Route(
        "GET", "/l/{code}", "followLink", "Lead on to where a short link of a text message leads", {}, status=302,
        key=Key.NONE, refusals=("not_found", *_TABLES, "unknown_workspace"), example="links.api",
        about="The header `Location` is exactly the address that stood in the message. Who follows is counted, but for "
        "browsers that only look ahead; a code that leads nowhere, or no more after a year, answers with a page.",
    ),
    Route("HEAD", "/l/{code}", "headLink", "The same, and nobody is counted", {}, status=302, key=Key.NONE,
          refusals=("not_found", *_TABLES, "unknown_workspace")),
    Route("HEAD", "/h/{token}", "headHidden", "The same", {}, status=204, key=Key.NONE, refusals=_TABLES),
)  # fmt: skip
