"""What counts as success."""
