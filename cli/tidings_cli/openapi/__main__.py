"""`python -m tidings_cli.openapi`: write the document that GET /openapi.json serves."""

from __future__ import annotations

import sys

from tidings_cli.openapi.document import FILE, text


def main() -> None:
    """Write the file, and tell where."""
    FILE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{FILE}\n")


if __name__ == "__main__":
    main()
