"""Waiting for events."""
