"""What a function is told by its environment, read once and checked at start."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field


class MissingSetting(RuntimeError):
    """A setting that the function needs is not in its environment; the message names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """A frozen copy of the environment; asking for what is missing names it."""

    values: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls) -> Settings:
        """The settings of this process."""
        return cls(dict(os.environ))

    def require(self, name: str) -> str:
        """The value of `name`. Raises MissingSetting."""
        value = self.values.get(name, "")
        if not value:
            raise MissingSetting(f"the environment variable {name} is missing")
        return value

    def table(self, name: str) -> str:
        """The table that the template gave the variable TABLE_`name`."""
        return self.require(f"TABLE_{name.upper()}")
