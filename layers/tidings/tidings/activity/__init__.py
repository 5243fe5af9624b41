"""What people did and what was done for them: events and timelines."""
