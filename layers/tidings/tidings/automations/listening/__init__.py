"""Which events concern which automations."""
