"""The thread that tells SNS: in order, again after a fault, and only when somebody listens."""

import json
import threading
from pathlib import Path

from tidings_cli.carriers.database import Database
from tidings_cli.carriers.feedback import Entry, FeedbackLog, State
from tidings_cli.carriers.publisher import Publisher


class Sns:
    """Remembers what it was told; fails as often as it is asked to."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.calls = 0
        self.heard: list[tuple[str, int]] = []

    def publish(self, topic: str, message: str, subject: str | None) -> None:
        self.calls += 1
        if self.calls <= self.failures:
            raise ConnectionError("refused")
        self.heard.append((topic, json.loads(message)["n"]))


def entries(count: int, target: str = "ses:cs") -> list[Entry]:
    return [Entry(f"m{n}", "Send", "2026-11-21T09:00:00.000Z", target, {"n": n}) for n in range(count)]


def test_entries_are_published_in_their_order(tmp_path: Path) -> None:
    log, sns = FeedbackLog(Database(tmp_path / "db")), Sns()
    publisher = Publisher(log, sns.publish, pauses=(0.0,))
    publisher.listen("ses:cs", "arn:topic")
    log.add(entries(50))
    publisher.wake()
    assert publisher.drain()
    assert sns.heard == [("arn:topic", n) for n in range(50)]
    publisher.stop()


def test_a_fault_is_tried_again_before_the_next_entry(tmp_path: Path) -> None:
    log, sns = FeedbackLog(Database(tmp_path / "db")), Sns(failures=2)
    publisher = Publisher(log, sns.publish, pauses=(0.0, 0.0))
    log.add(entries(2))
    publisher.listen("ses:cs", "arn:topic")
    assert publisher.drain()
    assert [n for _, n in sns.heard] == [0, 1]
    assert sns.calls == 4
    publisher.stop()


def test_after_several_faults_an_entry_is_given_up_and_says_why(tmp_path: Path) -> None:
    log, sns = FeedbackLog(Database(tmp_path / "db")), Sns(failures=3)
    publisher = Publisher(log, sns.publish, pauses=(0.0, 0.0))
    log.add(entries(2))
    publisher.listen("ses:cs", "arn:topic")
    assert publisher.drain()
    first, second = log.of(["m0"])["m0"][0], log.of(["m1"])["m1"][0]
    assert (first.state, first.error) == (State.FAILED, "ConnectionError: refused")
    assert second.state is State.PUBLISHED
    publisher.stop()


def test_a_target_nobody_named_in_this_process_waits(tmp_path: Path) -> None:
    log, sns = FeedbackLog(Database(tmp_path / "db")), Sns()
    log.set_topic("ses:cs", "arn:yesterday")
    publisher = Publisher(log, sns.publish, pauses=())
    log.add([*entries(1), *entries(1, "ses:other")])
    publisher.listen("ses:other", "arn:other")
    assert publisher.drain()
    assert sns.heard == [("arn:other", 0)]
    publisher.listen("ses:cs", "arn:today")
    assert publisher.drain()
    assert sns.heard[1:] == [("arn:today", 0)]
    publisher.stop()


def test_what_was_not_published_before_a_stop_is_published_after_the_next_start(tmp_path: Path) -> None:
    refused = threading.Event()

    def refuse(topic: str, message: str, subject: str | None) -> None:
        refused.set()
        raise ConnectionError

    database = Database(tmp_path / "db")
    log, sns = FeedbackLog(database), Sns()
    first = Publisher(log, refuse, pauses=(60.0,))
    log.add(entries(3))
    first.listen("ses:cs", "arn:topic")
    assert refused.wait(5)
    first.stop()
    second = Publisher(log, sns.publish, pauses=())
    second.listen("ses:cs", "arn:topic")
    assert second.drain()
    assert [n for _, n in sns.heard] == [0, 1, 2]
    second.stop()
