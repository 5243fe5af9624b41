"""What is known of a person: handed out whole, and erased for good."""
