"""What lets people out at any time."""
