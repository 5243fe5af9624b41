"""Function and layer code of the checkout as zip files, and where in the engine's S3 everything that is deployed lies.

An object's key holds the hash of what is in it. So the stack changes when, and only when, the checkout did.
"""

from __future__ import annotations

import hashlib
import io
import json
import py_compile
import sys
import zipfile
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path
from tempfile import TemporaryDirectory
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
    return _zipped(f"functions/{folder.name}", _read(folder, ""))


def layer_code(folder: Path) -> Artifact:
    """The packages in a layer's folder where the Lambda runtime looks for them, under `python/`, with their bytecode.

    The engine unpacks a layer anew for every worker, so that without bytecode each would compile it all again.
    """
    packages = sorted(child for child in folder.iterdir() if (child / "__init__.py").is_file())
    entries = {name: code for package in packages for name, code in _read(package, f"python/{package.name}/").items()}
    return _zipped(f"layers/{folder.name}", entries, _bytecode(entries))


def template_text(name: str, template: dict[str, Any]) -> Artifact:
    """An expanded template, in an order that is the same each time."""
    content = json.dumps(template, indent=1, sort_keys=True).encode()
    return Artifact(f"templates/{name}-{_hash(content)}.json", content)


def _read(folder: Path, prefix: str) -> dict[str, bytes]:
    return {
        prefix + path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not NOT_CODE & set(path.relative_to(folder).parts)
    }


def _bytecode(sources: dict[str, bytes]) -> dict[str, bytes]:
    """Bytecode for this interpreter, which is the engine's too, never checked against its source.

    A module that does not compile is left out: whoever imports it is told what is wrong with it.
    """
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compiled = {}
    with TemporaryDirectory() as scratch:
        source, target = Path(scratch, "source.py"), Path(scratch, "source.pyc")
        for name, code in sources.items():
            source.write_bytes(code)
            is_module = name.endswith(".py")
            if is_module and py_compile.compile(str(source), str(target), name, quiet=2, invalidation_mode=unchecked):
                compiled[cache_from_source(name)] = target.read_bytes()
    return compiled


def _zipped(name: str, entries: dict[str, bytes], derived: dict[str, bytes] | None = None) -> Artifact:
    """A zip whose key tells its entries; what is derived from them need not be the same each time, byte for byte."""
    buffer, hashed = io.BytesIO(), hashlib.sha256(sys.version.encode())
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in (entries | (derived or {})).items():
            info = zipfile.ZipInfo(entry, FIXED_DATE)
            info.external_attr = 0o644 << 16
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
            if entry in entries:
                hashed.update(f"{entry} {len(content)} ".encode() + content)
    return Artifact(f"{name}-{hashed.hexdigest()[:16]}.zip", buffer.getvalue())


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
