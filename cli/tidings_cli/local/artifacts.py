"""Function and layer code of the checkout as zip files, and where in the engine's S3 everything that is deployed lies.

An object's key holds the hash of what is in it. So the stack changes when, and only when, the checkout did.
"""

from __future__ import annotations

import hashlib
import inspect
import io
import json
import py_compile
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import cache_from_source
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tidings_cli.local import unpacked

BUCKET = "tidings-local-deployment"

# Nothing of a date is in a zip, or each start would deploy everything anew.
FIXED_DATE = (2000, 1, 1, 0, 0, 0)
# What opens a layer's archive, as a module of the layer.
OPENER = "unpacked_layer.py"
NOT_CODE = frozenset({"__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"})


@dataclass(frozen=True, slots=True)
class Artifact:
    """One object to be uploaded. `make` makes its content, which is not needed where the key is there already."""

    key: str
    make: Callable[[], bytes]

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
    entries = _read(folder, "")
    return Artifact(f"functions/{folder.name}-{_hash_of(entries)}.zip", partial(_zipped, entries))


def layer_code(folder: Path) -> Artifact:
    """The packages in a layer's folder, with their bytecode, in an archive that `unpacked` opens once for all workers.

    Without bytecode each worker would compile it all again.
    """
    packages = sorted(child for child in folder.iterdir() if (child / "__init__.py").is_file())
    entries = {name: code for package in packages for name, code in _read(package, f"{package.name}/").items()}
    opener = inspect.getsource(unpacked).encode()
    digest = _hash_of(entries | {OPENER: opener})
    archive = f"{folder.name}-{digest}.zip"

    def make() -> bytes:
        layer = {OPENER: opener, archive: _zipped(entries | _bytecode(entries))}
        for package in packages:
            layer[f"{package.name}/__init__.py"] = _opening(package, archive)
        return _zipped({f"python/{name}": code for name, code in layer.items()})

    return Artifact(f"layers/{archive}", make)


def _opening(package: Path, archive: str) -> bytes:
    """A package's own beginning, which goes on to say where its modules are."""
    own = (package / "__init__.py").read_text(encoding="utf-8")
    where = f"path_of({package.name!r}, Path(__file__).parents[1] / {archive!r})"
    opens = f"from pathlib import Path\nfrom {Path(OPENER).stem} import path_of\n__path__ = [{where}]\n"
    return f"{own}\n{opens}".encode()


def template_text(name: str, template: dict[str, Any]) -> Artifact:
    """An expanded template, in an order that is the same each time."""
    content = json.dumps(template, indent=1, sort_keys=True).encode()
    return Artifact(f"templates/{name}-{_hash_of({name: content})}.json", lambda: content)


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


def _zipped(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in entries.items():
            info = zipfile.ZipInfo(name, FIXED_DATE)
            info.external_attr = 0o644 << 16
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _hash_of(entries: dict[str, bytes]) -> str:
    """A short hash of what the checkout says, and of the interpreter that runs it."""
    hashed = hashlib.sha256(sys.version.encode())
    for name, content in entries.items():
        hashed.update(f"{name} {len(content)} ".encode() + content)
    return hashed.hexdigest()[:16]
