"""The fenced blocks of the documentation. A block's info string says what it is, and so how it is tested.

```yaml automation      a whole automation: has no problems, compiles; `automation NAME.yaml` is a file beside commands
```yaml condition       a condition
```yaml template        a template: compiles and can be filled; `template NAME` is also applied before commands run, and
                        `template NAME.yaml` is a file beside them
```python run           run against a local system
```python webhook       how a receiver verifies a webhook: run on signatures of ours
```sh run               the same, line by line
```js node             run by Node, with the SDKs of tests/e2e/sdks
```js browser          built by a bundler and run in Chromium, on a page of another origin
```html page           the same, as the body of a page
```kotlin app, swift app, js app   of a mobile app: not run, since that takes a phone's system; only looked at
```sh stack             the same, with AWS credentials of the local engine
```sh aws               needs an AWS account: only looked at
```sh once              make targets, which have tests of their own
```json answer          what the command above answers; an ellipsis stands for anything
```text answer          the same as lines of text
```story                what comes of the automations before it, or of a file: tests/functional/test_stories.py plays it
```json ...             other JSON, compared with what the code makes
```mermaid              a drawing of an automation, compared with what the code draws
```text                 a picture
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
PAGES = (ROOT / "README.md", *sorted(DOCS.glob("*.md")))

_FENCE = re.compile(r"^```(?P<info>\S[^\n]*)?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
ANYTHING = "…"


@dataclass(frozen=True)
class Block:
    """One block: the page it stands on, its line, the words of its info string, its text."""

    page: Path
    line: int
    info: tuple[str, ...]
    text: str

    @property
    def kind(self) -> str:
        """The first two words."""
        return " ".join(self.info[:2])

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(*kinds: str) -> list[Block]:
    """All blocks of these kinds, of all pages, in order."""
    return [block for page in PAGES for block in blocks_of(page) if not kinds or block.kind in kinds]


def blocks_of(page: Path) -> Iterator[Block]:
    """The blocks of a page, in order."""
    written = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(written):
        line = written.count("\n", 0, found.start()) + 1
        yield Block(page, line, tuple((found["info"] or "").split()), found["text"])


def matches(shown: Any, real: Any) -> bool:
    """Whether real JSON is what a page shows. Text that ends in an ellipsis stands for anything that begins so."""
    if isinstance(shown, str) and shown.endswith(ANYTHING):
        beginning = shown.removesuffix(ANYTHING)
        return not beginning or (isinstance(real, str) and real.startswith(beginning))
    if isinstance(shown, dict) and isinstance(real, dict):
        return shown.keys() == real.keys() and all(matches(shown[key], real[key]) for key in shown)
    if isinstance(shown, list) and isinstance(real, list):
        return len(shown) == len(real) and all(map(matches, shown, real))
    return bool(shown == real)


def tables(page: Path) -> list[list[list[str]]]:
    """The tables of a page: rows of cells, the head first."""
    return tables_in(page.read_text(encoding="utf-8"))


def tables_in(text: str) -> list[list[list[str]]]:
    """The tables in a text."""
    found: list[list[list[str]]] = []
    inside = False
    for line in text.splitlines():
        if not line.startswith("|"):
            inside = False
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not inside:
            found.append([])
        inside = True
        if not all(set(cell) <= {"-", ":"} for cell in cells):
            found[-1].append(cells)
    return found


def codes(cell: str) -> list[str]:
    """The words in a cell that are marked as code."""
    return re.findall(r"`([^`]+)`", cell)
