"""The table of templates."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute

from tidings.core.clock import from_text, to_text
from tidings.core.store import Database, Item, Key, faults, put
from tidings.messages.model import AS_WRITTEN, Made, Template, TemplateInput

PAGE_BYTES = 4 * 1024 * 1024  # of what is shown at once: Lambda answers with at most 6 MB
LATEST = 999_999  # the last version that has a place


class TemplateItem(Item):
    version = NumberAttribute()
    content = UnicodeAttribute()
    created_at = UnicodeAttribute()
    made = BinaryAttribute(null=True, legacy_encoding=False)  # packed; items from before it was kept have none


class DynamoTemplateStore:
    """Templates in DynamoDB: every version, and a copy of the live one that one read finds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._items = database.table(TemplateItem, "templates")

    def live_key(self, workspace: str, name: str) -> Key:
        """Where the live version stands, for a batched read."""
        return Key(self._items, workspace, f"live#{name}")

    def version_key(self, workspace: str, name: str, version: int) -> Key:
        """Where one version stands, for a batched read."""
        return Key(self._items, workspace, _place(name, version))

    def live(self, workspace: str, name: str) -> Template | None:
        """The live version: one read."""
        return self._read(self.live_key(workspace, name))

    def version(self, workspace: str, name: str, version: int) -> Template | None:
        """One version: one read."""
        return self._read(Key(self._items, workspace, _place(name, version)))

    def all_live(self, workspace: str) -> list[Template]:
        """The live version of every template of a workspace."""
        with faults():
            items = list(self._items.query(workspace, self._items.sk.startswith("live#"), consistent_read=True))
        return [self.entity(item) for item in items]

    def live_after(self, workspace: str, name: str, most: int) -> tuple[list[Template], bool]:
        """The live versions of templates, by name, of those after a name; and whether there are more."""
        places = self._items.sk.between(f"live#{name}\x00", "live#~")
        with faults():
            items = self._items.query(workspace, places, consistent_read=True, limit=most + 1)
            return self._page(items, most)

    def versions_before(self, workspace: str, name: str, version: int, most: int) -> tuple[list[Template], bool]:
        """Versions of a template, latest first, of those before one; and whether there are more."""
        places = self._items.sk.between(_place(name, 0), _place(name, version - 1))
        with faults():
            items = self._items.query(workspace, places, scan_index_forward=False, consistent_read=True, limit=most + 1)
            return self._page(items, most)

    def publish(self, template: Template) -> None:
        """Store a new version and make it the live one. Raises ConditionFailed if somebody else was faster."""
        version = self._item(template, _place(template.name, template.version))
        live = self._item(template, f"live#{template.name}")
        expected = (
            self._items.version == template.version - 1 if template.version > 1 else self._items.pk.does_not_exist()
        )
        self._database.transact([put("version", version, self._items.pk.does_not_exist()), put("live", live, expected)])

    def entity(self, item: TemplateItem) -> Template:
        """The template that a read item is."""
        return Template(
            workspace=item.pk,
            name=item.sk.split("#")[1],
            version=int(item.version),
            content=TemplateInput.model_validate_json(item.content),
            created_at=from_text(item.created_at),
            made=unpacked(item.made) if item.made else AS_WRITTEN,
        )

    def _read(self, key: Key) -> Template | None:
        item = self._database.batch_get([key]).get(key)
        return None if item is None else self.entity(item)

    def _page(self, items: Iterable[TemplateItem], most: int) -> tuple[list[Template], bool]:
        """As many as were asked for and may be shown at once, but at least one."""
        page: list[Template] = []
        room = PAGE_BYTES
        for item in items:
            room -= len(item.content.encode())
            if len(page) == most or (page and room < 0):
                return page, True
            page.append(self.entity(item))
        return page, False

    def _item(self, template: Template, place: str) -> TemplateItem:
        return self._items(
            template.workspace,
            place,
            version=template.version,
            content=template.content.model_dump_json(by_alias=True),
            created_at=to_text(template.created_at),
            made=None if template.made == AS_WRITTEN else packed(template.made),
        )


def packed(made: Made) -> bytes:
    """What was made of a template in as little room as may be: an item holds 400 KB in all."""
    return zlib.compress(json.dumps([made.text, made.html]).encode())


def unpacked(data: bytes) -> Made:
    """What was packed."""
    text, html = json.loads(zlib.decompress(data))
    return Made(text, html)


def _place(name: str, version: int) -> str:
    return f"version#{name}#{version:06d}"
