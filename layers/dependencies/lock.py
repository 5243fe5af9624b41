"""Write requirements.lock: the pins of requirements.txt with the hash of every wheel that may be installed for them.

Run by `make lock` in this folder. Wheels with compiled code differ between processors, so both of Lambda's are asked
for. Ends with an error when a pin is missing or superfluous: the pins are the whole closure, so that nothing arrives
unpinned.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PINS = HERE / "requirements.txt"
LOCK = HERE / "requirements.lock"


def pins() -> dict[str, str]:
    """The pinned version of each package."""
    lines = (line.partition("#")[0].strip() for line in PINS.read_text(encoding="utf-8").splitlines())
    return dict(line.split("==") for line in lines if line)


def resolve(platforms: str, python_version: str) -> dict[tuple[str, str], str]:
    """What pip would install for the pins on a processor, by its tags: (package, version) -> sha256."""
    command = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--dry-run"]
    command += ["--ignore-installed", "--report", "-", "--target", "unused", "--requirement", str(PINS)]
    command += [word for platform in platforms.split() for word in ("--platform", platform)]
    command += ["--python-version", python_version, "--implementation", "cp"]
    command += ["--only-binary=:all:"]
    report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)  # noqa: S603
    return {
        (_canonical(entry["metadata"]["name"]), entry["metadata"]["version"]): entry["download_info"]["archive_info"][
            "hashes"
        ]["sha256"]
        for entry in report["install"]
    }


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main(platforms: list[str], python_version: str) -> None:
    hashes: dict[tuple[str, str], set[str]] = {}
    for platform in platforms:
        for package, digest in resolve(platform, python_version).items():
            hashes.setdefault(package, set()).add(digest)
    if set(hashes) != set(pins().items()):
        different = sorted(f"{name}=={version}" for name, version in set(hashes) ^ set(pins().items()))
        sys.exit(f"{PINS.name} is not the whole of what gets installed; it differs in {', '.join(different)}")
    lines = [f"# Made from {PINS.name} by `make lock`, for Python {python_version} on {', '.join(platforms)}."]
    for (name, version), digests in sorted(hashes.items()):
        lines.append(" \\\n    ".join([f"{name}=={version}", *(f"--hash=sha256:{d}" for d in sorted(digests))]))
    LOCK.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[2:], sys.argv[1])
