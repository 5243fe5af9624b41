"""The chain of causes."""

from __future__ import annotations

from tidings_cli.openapi.answers import chain as shapes
from tidings_cli.openapi.routes.route import Query, Route

ROUTES = (
    Route(
        "GET", "/v1/chain", "getChain", "Show what led to something, and all that it led to, as a tree",
        shapes.ChainTree,
        about="The tree is the same for each of its nodes. An event is found below its cause seconds after it came.",
        query=(Query("node", "The `node` of an event, a message or an enrolment.", required=True),),
        refusals=("invalid_node", "unknown_node"), example="chain.api",
    ),
)  # fmt: skip
