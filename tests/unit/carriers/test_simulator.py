"""What becomes of a message, by address."""

import pytest

from tidings_cli.carriers.ses.simulator import Fate, Step, course, fate, is_infected, is_simulator


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("success@simulator.amazonses.com", Fate.DELIVERED),
        ("bounce@simulator.amazonses.com", Fate.BOUNCED),
        ("ooto@simulator.amazonses.com", Fate.AUTO_REPLIED),
        ("complaint@simulator.amazonses.com", Fate.COMPLAINED),
        ("suppressionlist@simulator.amazonses.com", Fate.GLOBALLY_SUPPRESSED),
        ("BOUNCE+Order-7@Simulator.AmazonSES.com", Fate.BOUNCED),
        ("complaint+a+b@simulator.amazonses.com", Fate.COMPLAINED),
        ("bounce@example.com", Fate.DELIVERED),
        ("somebody@simulator.amazonses.com", Fate.DELIVERED),
    ],
)
def test_the_simulator_acts_by_local_part(address: str, expected: Fate) -> None:
    assert fate(address) is expected


def test_an_ordinary_mailbox_takes_everything() -> None:
    assert course(["a@example.com"], {}) == [Step("Delivery", ("a@example.com",))]


def test_the_simulator_writes_the_course() -> None:
    at = "@simulator.amazonses.com"
    assert course([f"bounce{at}"], {}) == [Step("Bounce", (f"bounce{at}",), "General")]
    assert course([f"suppressionlist{at}"], {}) == [Step("Bounce", (f"suppressionlist{at}",), "Suppressed")]
    assert course([f"ooto{at}"], {}) == [Step("Delivery", (f"ooto{at}",), answered=(f"ooto{at}",))]
    assert [step.kind for step in course([f"complaint{at}"], {})] == ["Delivery", "Complaint"]


def test_bounces_of_one_message_are_combined_and_deliveries_go_by_domain() -> None:
    at = "@simulator.amazonses.com"
    steps = course([f"bounce+1{at}", f"bounce+2{at}", "a@x.example", "b@y.example", "c@x.example"], {})
    assert steps == [
        Step("Bounce", (f"bounce+1{at}", f"bounce+2{at}"), "General"),
        Step("Delivery", ("a@x.example", "c@x.example")),
        Step("Delivery", ("b@y.example",)),
    ]


def test_the_suppression_list_wins_over_everything() -> None:
    listed = {"a@example.com": "BOUNCE", "complaint@simulator.amazonses.com": "COMPLAINT"}
    assert course(["A@example.com", "complaint@simulator.amazonses.com"], listed) == [
        Step("Bounce", ("A@example.com",), "OnAccountSuppressionList"),
        Step("Complaint", ("complaint@simulator.amazonses.com",), "OnAccountSuppressionList"),
    ]


def test_simulator_addresses_are_known() -> None:
    assert is_simulator("x@SIMULATOR.amazonses.com")
    assert not is_simulator("simulator.amazonses.com@example.com")


def test_the_test_virus_is_found() -> None:
    virus = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    assert is_infected(b"see: " + virus)
    assert not is_infected(b"see: nothing")
