"""Two local carriers that stand in for Amazon SES and AWS End User Messaging SMS, and the outbox that shows what they
took.

They speak the real APIs, keep every message, and publish the SNS events that AWS would publish. Nothing leaves this
machine.
"""

from tidings_cli.carriers.carriers import Carriers

__all__ = ["Carriers"]
