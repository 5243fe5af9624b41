"""Goes into the layers of the local system: unpacks their packages once for all workers of the engine.

The engine unpacks a layer for every worker that it starts, and takes them all away again when it stops: with hundreds
of files in a layer and a hundred workers that takes minutes. So a layer holds one archive, and each package says here
where the files are. This module is on its own there, and imports nothing of ours.
"""

from __future__ import annotations

import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path


def path_of(package: str, archive: Path) -> str:
    """The folder of a package in an archive, which is unpacked if nobody has done so. Raises OSError and BadZipFile.

    The archive's name stands for what is in it. Of several that unpack at a time the first one's files are used.
    """
    place = Path(tempfile.gettempdir(), archive.stem)
    if not place.is_dir():
        with tempfile.TemporaryDirectory(dir=place.parent) as scratch:
            whole = Path(scratch, "whole")
            with zipfile.ZipFile(archive) as opened:
                opened.extractall(whole)
            with suppress(OSError):  # somebody was faster
                whole.rename(place)
    return str(place / package)
