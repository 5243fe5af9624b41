"""The structured log of every function. Ids, codes and counts go in; personal data and bodies never do."""

from __future__ import annotations

from aws_lambda_powertools.logging import Logger

logger = Logger(service="tidings", utc=True)
