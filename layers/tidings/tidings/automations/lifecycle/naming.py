"""What a workspace has of what an automation names."""

from __future__ import annotations

from tidings.accounts.store import DynamoWorkspaceStore
from tidings.automations.definition.elsewhere import Elsewhere, NamedTemplate, automations_in, templates_in
from tidings.automations.definition.model import Definition
from tidings.automations.lifecycle.standing import AutomationState
from tidings.automations.store import DynamoAutomationStore
from tidings.core.store import Database
from tidings.messages.template_store import DynamoTemplateStore


class Naming:
    """Looks up what definitions name."""

    def __init__(
        self,
        database: Database,
        automations: DynamoAutomationStore,
        templates: DynamoTemplateStore,
        workspaces: DynamoWorkspaceStore,
    ) -> None:
        self._database = database
        self._automations = automations
        self._templates = templates
        self._workspaces = workspaces

    def of(self, workspace: str, definition: Definition) -> Elsewhere:
        """What there is of what a definition names: one batched read."""
        from tidings.consent.topics import topics_of  # late: only where somebody writes an automation
        from tidings.conversations.inboxes import inboxes_of

        templates = {name: self._templates.live_key(workspace, name) for name in templates_in(definition)}
        automations = {name: self._automations.live_key(workspace, name) for name in automations_in(definition)}
        place = self._workspaces.key(workspace)
        found = self._database.batch_get([place, *templates.values(), *automations.values()])
        contents = {name: self._templates.entity(found[key]).content for name, key in templates.items() if key in found}
        live = [self._automations.entity(found[key]) for key in automations.values() if key in found]
        there = self._workspaces.entity(found[place])
        return Elsewhere(
            {
                name: NamedTemplate(one.channel.value, one.kind.value if one.kind else "", one.topic)
                for name, one in contents.items()
            },
            topics_of(there),
            inboxes_of(there),
            {one.name: one.definition for one in live if one.state is not AutomationState.ARCHIVED},
        )
