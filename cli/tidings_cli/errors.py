"""What a command says when it cannot go on."""

from __future__ import annotations


class CommandFailed(Exception):
    """A command cannot do what was asked; the text is one sentence for people that says what to do next.

    `exit_code` is 1 for trouble met on the way and 2 for a command that was given wrongly.
    """

    def __init__(self, sentence: str, exit_code: int = 1) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code
