"""Every operation whose AWS calls are counted: how it comes about, and the one step that is measured.

Each room has those of one part of Tidings. Caches are warm unless the operation's name says otherwise: the function has
seen its API key, its automations and its templates before.
"""

from __future__ import annotations

from benchmarks.operations import (  # noqa: F401 - each adds its operations
    acting,
    api,
    dates,
    deciding,
    entering,
    feedback,
    forms,
    ingest,
    jobs,
    leaving,
    lifecycle,
    reacting,
    statistics,
    texts,
    waiting,
)
from benchmarks.operations.costs import operations

OPERATIONS = operations()
