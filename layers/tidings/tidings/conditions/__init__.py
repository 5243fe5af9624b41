"""The one rule language: what a condition is, whether it holds, and why."""
