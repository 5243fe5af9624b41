"""E-mail through Amazon SES: sending, and what comes back."""
