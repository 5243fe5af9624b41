"""The domains and addresses that mails leave from."""

from __future__ import annotations

from tidings_cli.openapi.answers import senders as shapes
from tidings_cli.openapi.routes.route import WRITES, Body, Query, Route

_IDENTITY = ("invalid_domain", "invalid_address", "unknown_workspace")
_SES = ("ses_refused", "ses_throttled", "ses_failed")
_FATE = Query("identity", "Whether SES forgets it too.", {"type": "string", "enum": ["keep", "delete"]})

SENDERS = (
    Route(
        "GET", "/v1/senders", "listSenders", "List what mails may leave from, as it was when last checked",
        shapes.Senders, refusals=("unknown_workspace",),
    ),
    Route(
        "GET", "/v1/senders/{identity}", "getSender", "Show a sender, and the DNS records that it needs",
        shapes.SenderShown, about="SES and DNS are asked again, at most every 30 seconds.",
        refusals=(*WRITES, *_IDENTITY, *_SES, "unknown_sender", "sender_contended"),
    ),
    Route(
        "PUT", "/v1/senders/{identity}", "addSender", "Add a domain, or one address, and ask SES to verify it",
        shapes.SenderShown, about="Nothing leaves from it before. The same again mends what is missing of it.",
        body=Body(shapes.SenderOrder, "senders.api", required=False),
        refusals=(
            *WRITES, *_IDENTITY, *_SES, "unknown_field", "invalid_mail_from", "sender_taken", "too_many_senders",
            "ses_identities_full", "unknown_sender", "sender_contended",
        ),
    ),
    Route(
        "DELETE", "/v1/senders/{identity}", "removeSender", "Send nothing more from a domain or address",
        shapes.SenderRemoved, about="With `identity=delete` SES forgets it too, for whoever else sends from it.",
        query=(_FATE,),
        refusals=(*WRITES, *_IDENTITY, *_SES, "invalid_identity_fate", "unknown_sender", "sender_contended"),
    ),
)  # fmt: skip
