"""What an automation says, and whether that makes sense: models and rules without any database."""
