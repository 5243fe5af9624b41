"""Dates of contacts that start automations."""
