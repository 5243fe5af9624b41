"""What people write, and who answers it."""

from __future__ import annotations

from tidings.consent.model import Channel
from tidings.conversations import requests
from tidings.conversations.inboxes import CategoryInput, InboxInput
from tidings.conversations.model import State
from tidings.conversations.replying import ConversationReply
from tidings_cli.openapi.answers import conversations as shapes
from tidings_cli.openapi.answers.consents import Forgotten
from tidings_cli.openapi.routes.route import AT, PAGE, WRITES, Body, Key, Query, Route

_KNOWN = ("unknown_conversation",)
_CHANGES = (
    *WRITES, *_KNOWN, "invalid_request", "conversation_changed", "conversation_resolved", "conversation_contended",
)  # fmt: skip
_ABOUT = "With a `revision` it is refused if the conversation changed since that one. A repeat changes nothing."


def _change(
    what: str, name: str, summary: str, model: type[requests.Change], *refusals: str, required: bool = False
) -> Route:
    return Route(
        "POST", f"/v1/conversations/{{conversation}}/{what}", name, summary, shapes.ConversationShown,
        key=Key.OF_AGENTS, about=_ABOUT, body=Body(model, required=required), error=shapes.ConversationError,
        refusals=(*_CHANGES, *refusals),
    )  # fmt: skip


CONVERSATIONS = (
    Route(
        "GET", "/v1/conversations", "listConversations", "List conversations, latest first", shapes.Conversations,
        key=Key.OF_AGENTS,
        query=(
            Query("inbox", "Only those in this inbox."),
            Query(
                "state", "Only those in this state; `open` is every state but resolved.",
                {"type": "string", "enum": [requests.OPEN, *(one.value for one in State)]},
            ),
            Query("agent", "Only those that this agent has."),
            Query(
                "channel", "Only those whose latest message came or went by this channel.",
                {"type": "string", "enum": [one.value for one in Channel]},
            ),
            *PAGE,
        ),
        about="With an `agent` or a `channel` a page looks through at most 2,000 conversations, and may have fewer than"
        " `limit` of them, or none, before the end: there are more while `cursor` is not empty.",
        refusals=("invalid_state", "unknown_channel"), example="conversations.api",
    ),
    Route(
        "GET", "/v1/conversations/counts", "countConversations", "Count conversations by inbox and state",
        shapes.ConversationCounts, key=Key.OF_AGENTS,
    ),
    Route(
        "GET", "/v1/conversations/{conversation}", "getConversation", "Show a conversation and what stands in it",
        shapes.ConversationRead, key=Key.OF_AGENTS, query=(AT, *PAGE),
        refusals=(*_KNOWN, "invalid_timestamp", "not_yet"),
    ),
    _change("take", "takeConversation", "Take a conversation, or give it to an agent", requests.TakeInput),
    _change(
        "transfer", "transferConversation", "Pass a conversation to another agent or inbox", requests.TransferInput,
        "missing_field", "unknown_inbox", "unknown_workspace", required=True,
    ),
    _change(
        "hold", "holdConversation", "Put a conversation on hold, until an instant or until somebody resumes it",
        requests.HoldInput, "invalid_until", "start_failed", "start_throttled",
    ),
    _change("resume", "resumeConversation", "End a hold", requests.ResumeInput),
    _change(
        "resolve", "resolveConversation", "Bring a conversation to an end, and say what it was about",
        requests.ResolveInput, "unknown_category", "unknown_workspace", required=True,
    ),
    Route(
        "POST", "/v1/conversations/{conversation}/notes", "noteConversation", "Write a note for other agents",
        shapes.EntryShown, key=Key.OF_AGENTS, about="The same idempotency key again is the same note.",
        body=Body(requests.NoteInput), refusals=(*WRITES, *_KNOWN, "invalid_request"),
    ),
    Route(
        "POST", "/v1/conversations/{conversation}/replies", "replyInConversation", "Answer in a conversation",
        shapes.ConversationReplied, status=202, key=Key.OF_AGENTS, error=shapes.ConversationError,
        about="By the channel of the latest message that came in unless another is named. What must not be sent is"
        " answered with its decision, and changes nothing. The same idempotency key again is the same reply.",
        body=Body(ConversationReply, "conversations.api.reply"),
        refusals=(
            *_CHANGES, "channel_needed", "address_not_theirs", "no_attachments_by_sms", "wrong_channel",
            "unknown_template",
            "invalid_attachment", "attachment_type_refused", "attachments_too_large", "variables_too_large",
            "person_erased", "unknown_contact", "idempotency_conflict", "provider_throttled", "send_unsettled",
            "message_contended",
        ),
    ),
    Route(
        "GET", "/v1/conversations/{conversation}/mails/{entry}", "getConversationMail",
        "Show the whole of a mail that came in, with its files", shapes.MailShown, key=Key.OF_AGENTS,
        about="What stands in the conversation is what was written, without what it quotes.",
        refusals=("unknown_entry",),
    ),
)  # fmt: skip

_DEFINED = (*WRITES, "unknown_workspace", "policy_changed")
_DEFINING = (*_DEFINED, "invalid_request", "invalid_name", "name_mismatch", "too_many_definitions")

DEFINITIONS = (
    Route("GET", "/v1/inboxes", "listInboxes", "List all inboxes", shapes.Inboxes, key=Key.OF_AGENTS,
          refusals=("unknown_workspace",)),
    Route(
        "PUT", "/v1/inboxes/{inbox}", "defineInbox", "Define an inbox", shapes.InboxShown,
        about="Defining the same again changes nothing.", body=Body(InboxInput, "policy.api.inbox"),
        refusals=_DEFINING,
    ),
    Route(
        "DELETE", "/v1/inboxes/{inbox}", "forgetInbox", "Forget an inbox", Forgotten,
        about="Conversations that are in it stay there until somebody passes them on.",
        refusals=(*_DEFINED, "unknown_inbox"),
    ),
    Route("GET", "/v1/categories", "listCategories", "List all categories", shapes.Categories, key=Key.OF_AGENTS,
          refusals=("unknown_workspace",)),
    Route(
        "PUT", "/v1/categories/{category}", "defineCategory", "Define a category", shapes.CategoryShown,
        about="Defining the same again changes nothing.", body=Body(CategoryInput),
        refusals=_DEFINING,
    ),
    Route(
        "DELETE", "/v1/categories/{category}", "forgetCategory", "Forget a category", Forgotten,
        refusals=(*_DEFINED, "unknown_category"),
    ),
)  # fmt: skip
