"""The state folder: what a stop, a start and a sudden death leave."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.functional.carriers.local import SET, TOPIC, Local

from tidings.core.errors import Unavailable
from tidings_cli.carriers import Carriers

# Sends one mail whose events nobody takes, then dies without any farewell.
DYING = """
import os, sys
from pathlib import Path
from tests.functional.carriers.local import Local

def refuse(*_):
    raise ConnectionError

print(Local(Path(sys.argv[1]), publish=refuse).send(), flush=True)
os._exit(9)
"""


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    first = Local(tmp_path)
    sent = first.send("ada@example.com", html='<a href="https://a.example/">x</a>')
    first.sms.send_text_message(DestinationPhoneNumber="+48600100200", MessageBody="Hi")
    first.ses.put_suppressed_destination(EmailAddress="bob@example.com", Reason="BOUNCE")
    first.post("/outbox/api/faults", {"send": "drop_events", "to": "eve@example.com"})
    first.events()
    first.carriers.save()
    first.close()

    second = Local(tmp_path)
    assert second.mail(sent)["subject"] == "Hello"
    assert len(second.get("/outbox/api/sms").json) == 1
    assert second.types(second.send("bob@example.com")) == ["Send", "Bounce"]
    assert second.types(second.send("eve@example.com")) == []
    assert second.get(f"/outbox/t/{sent}/0").headers["location"] == "https://a.example/"
    assert second.types(sent) == ["Click"], "what was published before is not published again"
    second.close()


def test_a_mail_sent_before_the_set_was_configured_again_waits_with_its_events(tmp_path: Path) -> None:
    Local(tmp_path).close()
    booting = Local(tmp_path, configured=False)
    sent = booting.send()
    assert booting.events() == []
    booting.carriers.configure(SET, TOPIC)
    assert booting.types(sent) == ["Send", "Delivery"]
    booting.close()


def test_a_sudden_death_loses_nothing(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    died = subprocess.run([sys.executable, "-c", DYING, str(tmp_path)], cwd=root, capture_output=True, text=True)
    assert died.returncode == 9, died.stderr
    local = Local(tmp_path)
    assert local.types(died.stdout.strip()) == ["Send", "Delivery"]
    local.close()


def test_a_broken_folder_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "outbox.sqlite").write_text("this is no database " * 100)
    with pytest.raises(Unavailable, match="The outbox cannot be opened at"):
        Carriers(tmp_path, lambda *_: None, "http://127.0.0.1:4100")


def test_a_file_in_the_way_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(Unavailable, match="The outbox cannot be opened at"):
        Carriers(tmp_path / "state", lambda *_: None, "http://127.0.0.1:4100")
