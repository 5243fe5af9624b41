"""Settings of property tests whose examples share one world."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings


def few(examples: int) -> settings:
    """So many examples, and no shrinking of one that fails: it would take minutes of AWS calls."""
    return settings(
        max_examples=examples,
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
