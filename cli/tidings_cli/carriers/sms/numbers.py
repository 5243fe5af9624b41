"""The phone numbers and pools that the account has, and what it can do with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from tidings_cli.carriers.database import Database
from tidings_cli.carriers.feedback import FeedbackLog
from tidings_cli.carriers.publisher import Publisher
from tidings_cli.carriers.sms.errors import conflict, invalid, missing
from tidings_cli.carriers.sms.shelf import Shelf

INBOUND = "sms-inbound"
POOL = "pool-local"
OPT_OUTS = "Default"
CREATED = 1_700_000_000  # seconds; what the carrier offers was always there


@dataclass(frozen=True, slots=True)
class Phone:
    """A number of the account. `channel` is the topic that was named for answers; empty for the carrier's own."""

    id: str
    number: str
    country: str
    type: str
    pool: str = ""
    two_way: bool = True
    channel: str = ""
    self_managed: bool = True
    opt_outs: str = OPT_OUTS
    protected: bool = False
    international: bool = False

    @property
    def target(self) -> str:
        """The name under which the log knows who hears what people write to this number."""
        return f"{INBOUND}:{self.channel}" if self.channel else INBOUND


# 555-01xx is set aside for fiction (NANPA). Poland sets no numbers aside; within +48 45 5 no operator has any
# (libphonenumber 9.0), so that these belong to nobody.
OFFERED = (
    Phone("phone-local", "+12065550100", "US", "SIMULATOR"),
    Phone("phone-poland", "+48455500100", "PL", "LONG_CODE"),
    Phone("phone-pool-1", "+48455500101", "PL", "LONG_CODE", pool=POOL),
    Phone("phone-pool-2", "+48455500102", "PL", "LONG_CODE", pool=POOL),
    Phone("phone-poland-2", "+48455500103", "PL", "LONG_CODE"),
)
DEFAULT_NUMBER = OFFERED[0].number


class Numbers:
    """What is on offer, with what was changed about it."""

    def __init__(self, database: Database, log: FeedbackLog, publisher: Publisher) -> None:
        self._changes = Shelf(database, "number")
        self._log = log
        self._publisher = publisher

    def all(self) -> list[Phone]:
        """Every number, as it is now."""
        changed = self._changes.all()
        return [replace(phone, **changed.get(phone.id, {})) for phone in OFFERED]

    def find(self, identity: str) -> Phone | None:
        """The number of an id, ARN or number in E.164."""
        name = identity.rpartition(":phone-number/")[2]
        written = name if name.startswith("+") else f"+{name}"
        return next((phone for phone in self.all() if phone.id == name or phone.number == written), None)

    def need(self, identity: str) -> Phone:
        """The same. Raises ResourceNotFoundException."""
        found = self.find(identity)
        if found is None:
            raise missing("phone-number", identity)
        return found

    def members(self, identity: str) -> list[Phone]:
        """The numbers of a pool, by its id or ARN; none if there is no such pool."""
        name = identity.rpartition(":pool/")[2]
        return [phone for phone in self.all() if phone.pool and phone.pool == name]

    def channel(self, phone: Phone) -> str | None:
        """The topic that hears what people write to a number; None if nobody does."""
        return self._log.topic(phone.target) if phone.two_way else None

    def change(self, phone: Phone, **changes: Any) -> Phone:
        """Change a number, and let its topic be told what waits for it."""
        changed = replace(phone, **changes)
        self._changes.put(phone.id, {name: value for name, value in asdict(changed).items() if name in _CHANGEABLE})
        if changed.channel:
            self._publisher.listen(changed.target, changed.channel)
        return changed

    def listen(self) -> None:
        """Publish also to the topics that numbers were given in an earlier run."""
        for phone in self.all():
            if phone.channel:
                self._publisher.listen(phone.target, phone.channel)

    def update(self, body: Mapping[str, Any]) -> Phone:
        """UpdatePhoneNumber."""
        phone = self.need(str(body.get("PhoneNumberId") or ""))
        if phone.pool:
            raise conflict(
                f"The number {phone.number} is in a pool", "PHONE_NUMBER_ASSOCIATED_TO_POOL", "phone-number", phone.id
            )
        changes = {ours: body[theirs] for theirs, ours in _MEMBERS.items() if body.get(theirs) is not None}
        if "opt_outs" in changes:
            changes["opt_outs"] = str(changes["opt_outs"]).rpartition(":opt-out-list/")[2]
        if changes.get("two_way") and not changes.get("channel") and self._log.topic(phone.target) is None:
            raise invalid("Two-way messaging needs a channel", "TWO_WAY_CHANNEL_NOT_PRESENT", ["TwoWayChannelArn"])
        # The topic that the carrier was told of is nothing of the number's own: the next start may name another.
        if changes.get("channel") == self._log.topic(INBOUND):
            changes["channel"] = ""
        return self.change(phone, **changes)

    def describe(self, phone: Phone, arn: str) -> dict[str, Any]:
        """A number as the service shows it."""
        channel = self.channel(phone)
        about = {
            "PhoneNumberArn": arn,
            "PhoneNumberId": phone.id,
            "PhoneNumber": phone.number,
            "Status": "ACTIVE",
            "IsoCountryCode": phone.country,
            "MessageType": "TRANSACTIONAL",
            "NumberCapabilities": ["SMS"],
            "NumberType": phone.type,
            "MonthlyLeasingPrice": "0.00",
            "TwoWayEnabled": channel is not None,
            "SelfManagedOptOutsEnabled": phone.self_managed,
            "OptOutListName": phone.opt_outs,
            "InternationalSendingEnabled": phone.international,
            "DeletionProtectionEnabled": phone.protected,
            "CreatedTimestamp": CREATED,
        }
        about |= {"TwoWayChannelArn": channel} if channel else {}
        return about | ({"PoolId": phone.pool} if phone.pool else {})

    def describe_pool(self, pool: str, arn: str) -> dict[str, Any]:
        """A pool as the service shows it: its numbers are set up alike."""
        first = self.members(pool)[0]
        channel = self.channel(first)
        about = {
            "PoolArn": arn,
            "PoolId": pool,
            "Status": "ACTIVE",
            "MessageType": "TRANSACTIONAL",
            "TwoWayEnabled": channel is not None,
            "SelfManagedOptOutsEnabled": first.self_managed,
            "OptOutListName": first.opt_outs,
            "SharedRoutesEnabled": False,
            "DeletionProtectionEnabled": False,
            "CreatedTimestamp": CREATED,
        }
        return about | ({"TwoWayChannelArn": channel} if channel else {})


_MEMBERS = {
    "TwoWayEnabled": "two_way",
    "TwoWayChannelArn": "channel",
    "SelfManagedOptOutsEnabled": "self_managed",
    "OptOutListName": "opt_outs",
    "InternationalSendingEnabled": "international",
    "DeletionProtectionEnabled": "protected",
}
_CHANGEABLE = frozenset(_MEMBERS.values())
