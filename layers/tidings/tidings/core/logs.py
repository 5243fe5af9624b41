"""The structured log of every function. Ids, codes and counts go in; personal data and bodies never do."""

from __future__ import annotations

import json

from aws_lambda_powertools.logging import Logger

from tidings.core.clock import SystemClock

METRICS_NAMESPACE = "Tidings"

logger = Logger(service="tidings", utc=True)


def count(metric: str, value: int) -> None:
    """Publish a count to CloudWatch by a line of embedded metric format; alarms watch these.

    Written by hand, in the form of AWS's specification: the library's own metrics class costs imports at every start.
    """
    metrics = [{"Namespace": METRICS_NAMESPACE, "Dimensions": [[]], "Metrics": [{"Name": metric, "Unit": "Count"}]}]
    stamp = int(SystemClock().now().timestamp() * 1000)
    print(json.dumps({"_aws": {"Timestamp": stamp, "CloudWatchMetrics": metrics}, metric: value}))  # noqa: T201
