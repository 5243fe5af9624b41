"""What `expand` makes, for those who deploy it: apart from it, since the transform takes half a second to import."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tidings_cli.local.artifacts import Artifact

Template = dict[str, Any]

NESTED = "AWS::CloudFormation::Stack"


@dataclass(slots=True)
class Expanded:
    """A template ready for the engine, with everything that must be uploaded before it is deployed."""

    template: Template
    artifacts: list[Artifact] = field(default_factory=list)
    http_apis: list[str] = field(default_factory=list)

    @property
    def body(self) -> Artifact:
        """The template itself as an upload."""
        return self.artifacts[-1]
