"""The scene with the phone: an SMS asks whether a booking stands, the phone answers TAK, and the automation goes on."""

from __future__ import annotations

from typing import Any

from tidings_cli.client import Client
from tidings_cli.demo.board import GOOD, Board
from tidings_cli.demo.people import ANSWER, BOOKING, FAY
from tidings_cli.demo.watch import Outbox

Json = dict[str, Any]


class PhoneWatcher:
    """Follows Fay's booking, and holds her phone."""

    def __init__(self, api: Client, outbox: Outbox, board: Board) -> None:
        self._api = api
        self._outbox = outbox
        self._board = board
        self._texts = 0
        self._answered = False
        self._steps = 0
        self._ended = False
        self._over = False

    def look(self) -> bool:
        """Find out what is new and tell it; whether an SMS was among it. Raises CommandFailed."""
        if self._over:
            return False
        texts = self._outbox.texts(FAY.phone)
        for text in texts[self._texts :]:
            parts = "1 part" if text["parts"] == 1 else f"{text['parts']} parts"
            self._board.add(FAY, f"SMS “{text['body']}” ({parts})", "bold")
        came, self._texts = len(texts) > self._texts, len(texts)
        if texts and not self._answered:
            self._answered = True
            self._board.add(FAY, f"answers {ANSWER}")
            self._outbox.reply(str(texts[0]["id"]), ANSWER)
        if self._answered:
            self._follow()
        return came

    @property
    def missing(self) -> list[str]:
        """What has not happened yet that will."""
        return [] if self._over else [f"{FAY.name}'s booking is not confirmed: {self._texts} SMS so far"]

    def _follow(self) -> None:
        enrolments = self._api.get("automations", BOOKING, "enrolments")["enrolments"]
        if enrolments and enrolments[0]["steps"] != self._steps:
            self._tell(enrolments[0]["contact"])
        # The record may come to its end before the outbox shows the last SMS, or after it.
        self._over = self._ended and self._texts == len(FAY.texts)
        if self._over:
            self._board.finish(FAY)

    def _tell(self, contact: str) -> None:
        path = self._api.get("contacts", contact, "enrolments")["enrolments"][0]["path"]
        for step in path[self._steps :]:
            if step["component"] == "answer":
                self._board.add(FAY, f"answered? {step['outcome']}: it goes on at once", GOOD)
        self._steps = len(path)
        self._ended = bool(path) and path[-1]["next"] == ""
