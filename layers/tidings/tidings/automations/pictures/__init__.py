"""Automations as pictures."""
