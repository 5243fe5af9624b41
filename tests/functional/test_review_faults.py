"""Faults of the database beyond the main path: timeouts of batched reads, and writers who meet at one item."""

from __future__ import annotations

from botocore.exceptions import ReadTimeoutError
from tests.support.recorder import Call
from tests.support.world import World


def _sign_up(world: World) -> None:
    world.template("tips")
    components = {"tips": {"type": "send_email", "template": "tips"}}
    automation = {"automation": "welcome", "trigger": {"event": "Signed Up"}, "start": "tips"}
    world.automation({**automation, "components": components})
    world.identify("ada", email="ada@people.example")


class FirstTime:
    """Makes the first call of a name fail, in a function."""

    def __init__(self, world: World, function: str, name: str, error: Exception, times: int = 1) -> None:
        self.world, self.function, self.name, self.error, self.times = world, function, name, error, times
        world.recorder.before = self

    def __call__(self, call: Call) -> None:
        """Called before each call is made."""
        if self.times and (self.world.running, call.name) == (self.function, self.name):
            self.times -= 1
            raise self.error


def test_a_batched_read_that_times_out_is_a_fault_of_the_database_on_the_wire(world: World) -> None:
    FirstTime(world, "templates", "dynamodb:BatchGetItem", ReadTimeoutError(endpoint_url="https://dynamodb"))
    status, answer = world.call("templates", "GET /v1/templates/{name}", path={"name": "tips"})
    assert (status, answer["code"]) == (503, "database_failed")


def test_a_record_whose_reads_time_out_is_repeated_and_not_set_aside(world: World) -> None:
    _sign_up(world)
    world.track("ada", "Signed Up", plan="team")
    (event,) = [item for item in world.items("TABLE_EVENTS") if item.get("name", {}).get("S") == "Signed Up"]
    reads = 0

    def second_read_fails(call: Call) -> None:
        # The first reads what the batch is about, the second the contact, the third the earlier enrolment.
        nonlocal reads
        reads += (world.running, call.name) == ("react", "dynamodb:BatchGetItem")
        if reads == 3:
            reads += 1
            raise ReadTimeoutError(endpoint_url="https://dynamodb")

    world.recorder.before = second_read_fails
    record = world.record(event)
    answer = world.invoke("react", {"Records": [record]})
    assert answer == {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
    assert world.messages_in("aside") == []
