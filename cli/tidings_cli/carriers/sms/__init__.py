"""The carrier that stands in for AWS End User Messaging SMS."""
