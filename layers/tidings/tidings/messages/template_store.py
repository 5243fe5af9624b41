"""The table of templates."""

from __future__ import annotations

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from tidings.core.clock import from_text, to_text
from tidings.core.store import Database, Item, Key, faults, put
from tidings.messages.model import Template, TemplateInput


class TemplateItem(Item):
    version = NumberAttribute()
    content = UnicodeAttribute()
    created_at = UnicodeAttribute()


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
        return Key(self._items, workspace, f"version#{name}#{version:06d}")

    def live(self, workspace: str, name: str) -> Template | None:
        """The live version: one read."""
        key = self.live_key(workspace, name)
        item = self._database.batch_get([key]).get(key)
        return None if item is None else self.entity(item)

    def all_live(self, workspace: str) -> list[Template]:
        """The live version of every template of a workspace."""
        with faults():
            items = list(self._items.query(workspace, self._items.sk.startswith("live#"), consistent_read=True))
        return [self.entity(item) for item in items]

    def versions(self, workspace: str, name: str) -> list[Template]:
        """All versions of a template, latest first."""
        with faults():
            items = list(
                self._items.query(
                    workspace,
                    self._items.sk.startswith(f"version#{name}#"),
                    scan_index_forward=False,
                    consistent_read=True,
                )
            )
        return [self.entity(item) for item in items]

    def publish(self, template: Template) -> None:
        """Store a new version and make it the live one. Raises ConditionFailed if somebody else was faster."""
        version = self._item(template, f"version#{template.name}#{template.version:06d}")
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
        )

    def _item(self, template: Template, place: str) -> TemplateItem:
        return self._items(
            template.workspace,
            place,
            version=template.version,
            content=template.content.model_dump_json(by_alias=True),
            created_at=to_text(template.created_at),
        )
