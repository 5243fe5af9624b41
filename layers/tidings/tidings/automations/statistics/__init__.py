"""What is counted, and who is behind each count."""
