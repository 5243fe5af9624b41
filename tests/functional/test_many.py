"""A send to many while SES is slow and the sender dies: all that works on it takes turns at each AWS call."""

from __future__ import annotations

import pytest
from benchmarks.modelled import model
from tests.support.world import World

RECIPIENTS = 150


@pytest.mark.parametrize(("on_unknown", "seed"), [("resend", 1), ("hold", 1)])
def test_whatever_befalls_the_sender_each_gets_one_mail_or_is_told_of(world: World, on_unknown: str, seed: int) -> None:
    """With `resend` each gets it. With `hold` those end as `unknown` whose sender died before it called SES."""
    with model(world, RECIPIENTS, on_unknown, seed, priced=False) as made:
        result = made.run()
    held = len(result.untaken) if on_unknown == "hold" else 0
    got, unknown = RECIPIENTS - held, {"unknown": held} if held else {}
    assert (result.once, result.twice, result.wrong) == (got, 0, 0)
    assert result.without == (result.untaken if held else [])
    assert result.states == {"delivered": got, **unknown}
    assert result.report == {"sent": got, "delivered": got, **unknown}
    assert (result.send["state"], result.send["counts"]) == ("done", {"accepted": got, **unknown})
    assert result.is_right
    # It was slow, both kinds of death came, and no call took longer than a function may.
    assert result.slowed > 0
    assert result.kills[0].untaken
    assert result.kills[1].taken
    assert all(lane.longest < 30 for lane in result.lanes.values())
