"""What is wrong with an automation, as it is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning"]


@dataclass(frozen=True)
class Problem:
    """One mistake. `component` is its id or "", `place` where it stands in the file; warnings do not stop anything."""

    code: str
    message: str
    component: str = ""
    level: Level = "error"
    place: str = ""

    def as_dict(self) -> dict[str, str]:
        """The problem as it stands on the wire."""
        return {
            "code": self.code,
            "message": self.message,
            "component": self.component,
            "level": self.level,
            "place": self.place,
        }


def in_component(code: str, component: str, key: str, message: str, level: Level = "error") -> Problem:
    """A problem at a key of a component, or at the component itself where the key is empty."""
    place = f"components.{component}.{key}" if key else f"components.{component}"
    return Problem(code, f"{place}: {message}", component, level, place)


def no_component(name: str, components: Iterable[str]) -> str:
    """That there is no such component, and which one may be meant."""
    from difflib import get_close_matches  # late: only where somebody writes an automation

    near = get_close_matches(name, list(components), n=1, cutoff=0.75)
    return f'there is no component "{name}"' + (f'; did you mean "{near[0]}"?' if near else "")


def warning(code: str, component: str, message: str) -> Problem:
    """A warning about a component."""
    return Problem(code, message, component, "warning", f"components.{component}")
