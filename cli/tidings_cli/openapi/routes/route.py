"""What is said of a route, and what all routes of a kind have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pydantic import BaseModel

from tidings_cli.openapi.answers.base import Error


class Key(Enum):
    """Who may call: with a secret key, also with an agent's, with any key that reports, or anybody."""

    OF_SERVERS = "a secret key"
    OF_AGENTS = "a secret key, an agent's too"
    REPORTING = "any key"
    NONE = "no key"


@dataclass(frozen=True, slots=True)
class Query:
    """One parameter of the query."""

    name: str
    about: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    required: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a call: a model, or the name of a schema of the document's own."""

    schema: type[BaseModel] | str
    example: str = ""
    """The event of events/ whose body is the example, without `.json`."""
    required: bool = True
    without: str = ""
    """A field that the path gives, and that the body may leave out."""


HTML: Mapping[str, Any] = {"type": "string", "contentMediaType": "text/html"}
"""The answer of a route that is a page; that of one without any content is empty."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route: `refusals` are the codes that it can answer beside those that all of its kind can."""

    method: str
    path: str
    name: str
    summary: str
    answer: type[BaseModel] | Mapping[str, Any]
    status: int = 200
    also: tuple[type[BaseModel], ...] = ()
    """Models that an answer refers to which is no model itself."""
    key: Key = Key.OF_SERVERS
    about: str = ""
    query: tuple[Query, ...] = ()
    body: Body | None = None
    refusals: tuple[str, ...] = ()
    error: type[Error] = Error
    form: Mapping[str, list[str]] = field(default_factory=dict)
    """The fields of a page's form, each with what it may say; empty for anything."""
    example: str = ""
    """The event of events/ that is an example of the call, without `.json`."""
    media: tuple[str, ...] = ()
    """The types of an answer that is text and no JSON."""
    sheet: bool = False
    """Whether it answers as CSV too."""

    @property
    def is_page(self) -> bool:
        """Whether people are answered, not programs."""
        return self.answer == HTML or not self.answer

    @property
    def codes(self) -> frozenset[str]:
        """Every code that the route can answer."""
        found = {*self.refusals, *_OF_KEY[self.key]}
        if "{" in self.path:
            found.add("not_found")
        if self.body is not None:
            found |= set(_OF_BODIES)
            found |= set() if self.key is Key.REPORTING else {"invalid_text", "nested_too_deep", "body_too_large"}
        if any(query.name == "limit" for query in self.query):
            found.add("invalid_limit")
        if any(query.name == "cursor" for query in self.query):
            found.add("invalid_cursor")
        return frozenset(found)


_OF_TABLES = ("read_throttled", "write_throttled", "database_failed")
_OF_CALLERS = ("missing_api_key", "invalid_api_key", "invalid_authorization")
_OF_KEY = {
    Key.NONE: (),
    Key.REPORTING: (*_OF_CALLERS, *_OF_TABLES),
    Key.OF_AGENTS: (*_OF_CALLERS, "secret_key_required", *_OF_TABLES),
    Key.OF_SERVERS: (*_OF_CALLERS, "secret_key_required", "role_required", *_OF_TABLES),
}
_OF_BODIES = ("invalid_json", "invalid_body", "invalid_type")

WRITES = ("condition_failed", "write_conflict")
"""What calls that change something can answer."""

PAGE = (
    Query("limit", "How many to list.", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
    Query("cursor", "The `cursor` of the page before."),
)

AT = Query("at", "As it stood at this time (ISO 8601): nothing of later is told.")

# Everything that a path can name: API Gateway takes no slash within a name, escaped or not.
_NAME: Mapping[str, Any] = {"type": "string", "minLength": 1, "maxLength": 512, "pattern": "^[^/]+$"}
PLACES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "topic": ("A topic; `*` stands for all marketing where a reply may.", _NAME),
    "rule": ("A suppression rule.", _NAME),
    "conversation": ("The conversation's id.", _NAME),
    "entry": ("The id of what stands in a conversation.", _NAME),
    "component": ("A component of the automation.", _NAME),
    "enrolment": ("The `entry` of an enrolment.", _NAME),
    "inbox": ("An inbox.", _NAME),
    "category": ("A category.", _NAME),
    "contact": ("The contact's id, or that of a contact that became part of it.", _NAME),
    "conflict": ("The conflict's id.", _NAME),
    "company": ("The company's id, as apps call it.", {**_NAME, "maxLength": 1024}),
    "merge": ("The merge's id.", _NAME),
    "message": ("The message's id.", _NAME),
    "send": ("The send's id.", _NAME),
    "sender_id": ("A name that texts leave from, such as ACME.", _NAME),
    "number": ("A phone number such as +48732100200; the + may be left out.", _NAME),
    "keyword": ("The name of a keyword: lower-case letters, digits and hyphens, beginning with a letter.", _NAME),
    "action": (
        "What is done.",
        {"type": "string", "enum": ["pause", "archive", "unarchive", "end"]},
    ),
    "decision": ("What is decided.", {"type": "string", "enum": ["verify", "accept", "reject"]}),
    "code": ("What a short link ends with: 24 lower-case letters and digits.", _NAME),
    "token": ("What a link in a mail names its reader and its subject by, signed.", _NAME),
    "name": ("1 to 63 lower-case letters, digits and hyphens, beginning with a letter.", _NAME),
    "version": ("The number of a version.", _NAME),
    "channel": ("The way to reach a person.", {"type": "string", "enum": ["email", "sms"]}),
    "writeKey": ("A publishable key, or a write key.", _NAME),
    "identity": ("A domain, such as acme.example, or one e-mail address.", _NAME),
    "address": ("An e-mail address, or a phone number such as +48600100200.", _NAME),
}
"""What stands in paths, by the name of the variable."""
