"""Woken every hour: takes over what came to the account's suppression list, where a workspace mirrors it."""

from __future__ import annotations

from typing import Any

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.consent.gateway import AccountGateway
from tidings.consent.mirror_store import DynamoMirrorStore
from tidings.consent.mirroring import Mirroring
from tidings.consent.service import SuppressionService
from tidings.consent.store import DynamoConsentStore
from tidings.core.clock import SystemClock
from tidings.core.logs import logger
from tidings.core.settings import Settings
from tidings.core.store import Database

clock = SystemClock()
database = Database(Settings.read())
store = DynamoConsentStore(database)
mirroring = Mirroring(
    DynamoWorkspaceStore(database),
    DynamoMirrorStore(database),
    AccountGateway(),
    store,
    SuppressionService(store, clock),
    clock,
)


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Mirror the list; how many addresses were suppressed."""
    made = mirroring.run()
    logger.info("mirrored", extra={"suppressed": made})
    return {"suppressed": made}
