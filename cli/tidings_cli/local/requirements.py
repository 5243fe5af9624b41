"""What must be installed, and the template that is deployed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import tidings_cli
from tidings_cli.errors import CommandFailed

# What the extra `local` of pyproject.toml brings; hypercorn and urllib3 come with the first and with boto3.
PACKAGES = ("ministack", "hypercorn", "samtranslator")


def require_packages() -> None:
    """Raises CommandFailed if the extra `local` is not installed, naming what is missing."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise CommandFailed(
            f"The local system needs packages that are not installed ({', '.join(missing)}); "
            "install them, in the checkout, with: pip install -e '.[local]'"
        )


def find_template(named: Path | None) -> Path:
    """The template that was named, else the one of the checkout that holds this package. Raises CommandFailed."""
    if named is not None:
        if not named.is_file():
            raise CommandFailed(f"There is no template at {named}.", 2)
        return named.resolve()
    template = Path(tidings_cli.__file__).resolve().parents[2] / "template.yaml"
    if not template.is_file():
        raise CommandFailed("No template.yaml was found beside this package; name one with --template FILE.")
    return template
