"""Why something happened, and what led to what."""
