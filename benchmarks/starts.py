"""What it takes to start each function in a clean interpreter."""

from __future__ import annotations

import statistics
import sys
from dataclasses import dataclass
from typing import Any

from benchmarks.interpreter import Interpreter, clean, functions

ROUNDS = 7
# Packages that are worth knowing about, by the name they are imported under.
HEAVY = (
    "botocore", "pynamodb", "aws_lambda_powertools", "pydantic", "liquid", "babel", "asyncio", "boto3", "yaml",
    "requests", "aws_xray_sdk", "phonenumbers",
)  # fmt: skip
# Of these, the ones that nearly every function needs, which need not be told each time.
USUAL = ("botocore", "pynamodb")


@dataclass(frozen=True)
class Start:
    """How a function starts: `seconds` of processor time for its imports (the median of several starts).

    `ratio` is that of its fastest start to the fastest of an empty interpreter: it tells least of the machine.
    """

    function: str
    seconds: float
    ratio: float
    modules: tuple[str, ...]
    memory: int

    @property
    def packages(self) -> dict[str, int]:
        """How many modules of each heavy package were imported."""
        counts = {name: sum(module.split(".")[0] == name for module in self.modules) for name in HEAVY}
        return {name: count for name, count in counts.items() if count}

    @property
    def third_party(self) -> tuple[str, ...]:
        """Modules that are not Python's own: ours, and those of the dependencies layer."""
        return tuple(module for module in self.modules if _package(module) not in sys.stdlib_module_names)

    def as_dict(self) -> dict[str, Any]:
        """The start for a JSON file."""
        return {
            "import_milliseconds": round(self.seconds * 1000, 1),
            "ratio_to_empty": round(self.ratio, 1),
            "modules": len(self.modules),
            "third_party_modules": len(self.third_party),
            "memory_mb": round(self.memory / 1024),
            "packages": self.packages,
        }


def _package(module: str) -> str:
    name = module.split(".")[0]
    return "sys" if name in ("app", "__mp_main__") or name.startswith("_sysconfigdata") else name


def starts(rounds: int = ROUNDS) -> list[Start]:
    """Every function started so many times, in turns, so that a busy moment of the machine meets them all."""
    with clean() as interpreter:
        names = functions()
        for name in names:
            interpreter.run(name)  # leaves bytecode
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in ["", *names]}
        for _ in range(rounds):
            for name, results in found.items():
                results.append(interpreter.run(name))
        empty = _fastest(found.pop(""))
        return [_start(name, results, empty) for name, results in found.items()]


def start(interpreter: Interpreter, function: str) -> Start:
    """One start of one function, for what does not depend on time."""
    return _start(function, [interpreter.run(function)], empty=1)


def _start(function: str, results: list[dict[str, Any]], empty: float) -> Start:
    return Start(
        function=function,
        seconds=statistics.median(float(result["import"]) for result in results),
        ratio=_fastest(results) / empty,
        modules=tuple(results[0]["modules"]),
        memory=min(result["memory"] for result in results),
    )


def _fastest(results: list[dict[str, Any]]) -> float:
    return min(float(result["total"]) for result in results)
