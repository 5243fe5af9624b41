"""Function and layer code of the checkout as zip files, and where in the engine's S3 everything that is deployed lies.

An object's key holds the hash of what is in it. So the stack changes when, and only when, the checkout did.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BUCKET = "tidings-local-deployment"

# Nothing of a date is in a zip, or each start would deploy everything anew.
FIXED_DATE = (2000, 1, 1, 0, 0, 0)
NOT_CODE = frozenset({"__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"})


@dataclass(frozen=True, slots=True)
class Artifact:
    """One object to be uploaded."""

    key: str
    content: bytes

    @property
    def location(self) -> dict[str, str]:
        """What stands for the folder in a SAM template."""
        return {"Bucket": BUCKET, "Key": self.key}

    @property
    def url(self) -> str:
        """What CloudFormation calls it as a template. The engine reads bucket and key in the path; no host is asked."""
        return f"https://s3.invalid/{BUCKET}/{self.key}"


def function_code(folder: Path) -> Artifact:
    """A function's folder, as its root."""
    return _zipped(f"functions/{folder.name}", dict(_files(folder, "")))


def layer_code(folder: Path) -> Artifact:
    """The packages in a layer's folder, where the Lambda runtime looks for them: under `python/`."""
    packages = sorted(child for child in folder.iterdir() if (child / "__init__.py").is_file())
    entries = {name: path for package in packages for name, path in _files(package, f"python/{package.name}/")}
    return _zipped(f"layers/{folder.name}", entries)


def template_text(name: str, template: dict[str, Any]) -> Artifact:
    """An expanded template, in an order that is the same each time."""
    content = json.dumps(template, indent=1, sort_keys=True).encode()
    return Artifact(f"templates/{name}-{_hash(content)}.json", content)


def _files(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_file() and not NOT_CODE & set(relative.parts):
            yield prefix + relative.as_posix(), path


def _zipped(name: str, entries: dict[str, Path]) -> Artifact:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, path in entries.items():
            info = zipfile.ZipInfo(entry, FIXED_DATE)
            info.external_attr = 0o644 << 16
            archive.writestr(info, path.read_bytes(), zipfile.ZIP_DEFLATED)
    content = buffer.getvalue()
    return Artifact(f"{name}-{_hash(content)}.zip", content)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
