"""What the id of a contact is that an address makes: the same for all who write to it, or hear from it, at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import count

from tidings.contacts.erased import another
from tidings.contacts.model import Contact, Identity
from tidings.core.keys import keyed_hash

# So many ids of an address are tried before it is asked which are taken; and so many are asked about at once.
FEW, AT_ONCE = 2, 50


def made_by(secret: str, identity: Identity, number: int) -> str:
    """The id of the contact that an e-mail address or phone number makes, or the next one if that has another by now.

    Nobody can make it without the workspace's secret, and so nobody can tell an address from it.
    """
    return f"c{keyed_hash(secret, f'{identity.kind.value} contact', identity.value, str(number))}"


def candidates(workspace: str, secret: str, identity: Identity) -> tuple[str, ...]:
    """The ids that a new contact may have, in the order in which they are tried, for one batched read."""
    own, further = made_by(secret, identity, 0), made_by(secret, identity, 1)
    return own, another(workspace, own), further


def further_candidates(secret: str, identity: Identity) -> Iterator[tuple[str, ...]]:
    """The ids that follow where all of those are taken, without an end: so many at once as one read may ask for."""
    for start in count(FEW, AT_ONCE):
        yield tuple(made_by(secret, identity, number) for number in range(start, start + AT_ONCE))


def unused(candidates: Collection[str], found: Mapping[str, Contact]) -> str:
    """The id of a new contact: the first that nobody has or had; empty if each of them is taken.

    Of a contact that is there and has other addresses by now the id stays theirs, and that of an erased one too.
    """
    own, again, further = candidates
    if own not in found:
        return own
    tried = (again, further) if found[own].erased_at is not None else (further,)
    return next((one for one in tried if one not in found), "")
