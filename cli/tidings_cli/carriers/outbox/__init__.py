"""The outbox: pages where a person reads what was sent, and the JSON API that tests use."""
