"""Where answers to our mails go: addresses that come in here, and say by themselves which mail they answer.

A signed address is `reply+WORKSPACE.CODE@DOMAIN`, the domain being that of the workspace's inbound address. The code is
17 letters of a keyed hash of the message's id, which nobody can make without the workspace's secret; a local part has
64 characters (RFC 5321, 4.5.3.1.1), too few for the ids of workspace and message themselves and a signature. So the
message is found by the code, as short links are, through a pointer that is written with its claim and kept for 90 days
(`messages.answered_store`), and the code is then compared with what the found message's would be.

Mail programs may change the case of letters: there are only small ones in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from tidings.accounts.model import Workspace
from tidings.core.keys import keyed_hash, same
from tidings.email.model import MailOrder
from tidings.email.sender_rules import address_of

LOCAL = "reply"
CODE = 17
_PURPOSE = "reply address"


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signed address claims: a workspace, and the code of a message of it."""

    workspace: str
    code: str

    @property
    def pointer(self) -> str:
        """What the message is pointed to by."""
        return f"{LOCAL}+{self.code}"


def code_of(workspace: Workspace, message: str) -> str:
    """The code of a message. Raises ValueError for a workspace without a secret."""
    return keyed_hash(workspace.secret, _PURPOSE, workspace.id, message)[:CODE]


def is_genuine(workspace: Workspace, signed: Signed, message: str) -> bool:
    """Whether an address was signed by this workspace for this message."""
    return signed.workspace == workspace.id and same(code_of(workspace, message), signed.code)


def signed_address(workspace: Workspace, message: str) -> str:
    """The address by which an answer to a message finds it; empty for a workspace at which no mail comes in."""
    domain = domain_of(workspace)
    return f"{LOCAL}+{workspace.id}.{code_of(workspace, message)}@{domain}" if domain and workspace.secret else ""


def read_signed(address: str) -> Signed | None:
    """What an address claims to be signed for; None if it is of another kind."""
    local = address.strip().lower().rpartition("@")[0]
    name, plus, token = local.partition("+")
    workspace, dot, code = token.rpartition(".")
    return Signed(workspace, code) if name == LOCAL and plus and dot and workspace and len(code) == CODE else None


def domain_of(workspace: Workspace) -> str:
    """The domain at which mail for the workspace comes in; empty for none."""
    return workspace.inbound_address.rpartition("@")[2]


def is_signed(order: MailOrder) -> bool:
    """Whether a mail asks for answers at a signed address.

    A conversation's do. Others do if the workspace wants it, unless they or their template say where answers go.
    """
    if not order.workspace.inbound_address or not order.workspace.secret:
        return False
    own = order.reply_to or (order.template.content.reply_to if order.template else "")
    return bool(order.conversation) or (order.workspace.signs_replies and not own)


def comes_in(workspace: Workspace, address: str) -> bool:
    """Whether what is written to an address comes in at the workspace's own inbound address."""
    written = address_of(address) or address
    return bool(workspace.inbound_address) and written.lower() == workspace.inbound_address.lower()
