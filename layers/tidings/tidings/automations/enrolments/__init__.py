"""One person's way through one version of an automation."""
