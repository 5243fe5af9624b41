"""What people write, whatever the channel, and who answers it."""
