"""What each component does when somebody comes to it."""
