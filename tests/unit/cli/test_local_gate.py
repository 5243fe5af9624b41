"""What functions have begun when the local system stops comes to an end, and nothing new begins."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from time import sleep

import pytest

from tidings_cli.local.exchange import Request, Response
from tidings_cli.local.gate import Gate

REQUEST = Request("POST", "/", [], b"")
DONE = Response(200)


@pytest.fixture
def gate() -> Gate:
    return Gate(quiet=0.05, most=30)


class Slow:
    """A handler that answers when it is told to."""

    def __init__(self) -> None:
        self.begun, self.go_on = Event(), Event()

    def __call__(self, request: Request) -> Response:
        self.begun.set()
        assert self.go_on.wait(30)
        return DONE


def test_an_open_gate_lets_everything_through(gate: Gate) -> None:
    assert gate.held(lambda _: DONE)(REQUEST) == gate.watched(lambda _: DONE)(REQUEST) == DONE
    gate.close()


@pytest.mark.parametrize("kind", ["held", "watched"])
def test_what_passes_when_it_closes_is_waited_for(gate: Gate, kind: str) -> None:
    slow = Slow()
    with ThreadPoolExecutor() as threads:
        passing = threads.submit(getattr(gate, kind)(slow), REQUEST)
        assert slow.begun.wait(30)
        closing = threads.submit(gate.close)
        with pytest.raises(TimeoutError):
            closing.result(0.3)
        slow.go_on.set()
        closing.result(30)
        assert passing.result(30) == DONE


def test_what_was_claimed_still_gets_to_its_carrier_and_no_claim_gets_through(gate: Gate) -> None:
    claim, claims, mails = Slow(), list[str](), list[str]()

    def again(_: Request) -> Response:
        claims.append("another")
        return DONE

    def carrier(_: Request) -> Response:
        mails.append("mail")
        return DONE

    def send() -> Response:
        gate.held(claim)(REQUEST)
        gate.watched(carrier)(REQUEST)
        return gate.held(again)(REQUEST)

    with ThreadPoolExecutor() as threads:
        sending: Future[Response] = threads.submit(send)
        assert claim.begun.wait(30)
        closing = threads.submit(gate.close)
        while not gate.is_closed:
            sleep(0.001)
        claim.go_on.set()
        closing.result(30)
        assert (mails, claims, sending.done()) == (["mail"], [], False)
        gate.end()
        assert sending.result(30).status == 503
    assert gate.held(again)(REQUEST).status == 503
    assert claims == []


def test_what_takes_too_long_is_not_waited_for() -> None:
    gate, slow = Gate(quiet=0.05, most=0.2), Slow()
    with ThreadPoolExecutor() as threads:
        threads.submit(gate.watched(slow), REQUEST)
        assert slow.begun.wait(30)
        gate.close()
        slow.go_on.set()
