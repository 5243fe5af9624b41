"""Text messages by AWS End User Messaging: sender IDs, sending, delivery, links, and what people answer."""
