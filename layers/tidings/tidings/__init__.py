"""Tidings: customer engagement as serverless functions."""
