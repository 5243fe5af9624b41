"""Who enters an automation: triggers, how often, and why not."""
