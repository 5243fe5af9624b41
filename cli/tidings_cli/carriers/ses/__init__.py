"""The carrier that stands in for Amazon SES: the SESv2 API, its mailbox simulator, its tracking and its events."""
