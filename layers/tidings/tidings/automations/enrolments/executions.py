"""What Step Functions reports about executions: it ends the enrolments that they ran for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidings.automations.enrolments.model import EnrolmentState
from tidings.automations.enrolments.store import DynamoEnrolmentStore
from tidings.core.clock import Clock


class Executions:
    """Settles enrolments by the status of their executions."""

    def __init__(self, enrolments: DynamoEnrolmentStore, clock: Clock) -> None:
        self._enrolments = enrolments
        self._clock = clock

    def settle(self, named: Mapping[str, Any], execution: str, status: str, error: str) -> bool:
        """End the enrolment of an execution that ended; False if it is not live, or runs in another execution.

        Whoever was parked stays so: its execution failed by that. Whoever was ended stays ended.
        """
        state = {
            "SUCCEEDED": EnrolmentState.COMPLETED,
            "FAILED": EnrolmentState.FAILED,
            "TIMED_OUT": EnrolmentState.FAILED,
            "ABORTED": EnrolmentState.STOPPED,
        }.get(status)
        enrolment = self._enrolments.get(
            str(named["workspace"]), str(named["contact"]), str(named["automation"]), str(named["entry"])
        )
        if state is None or enrolment is None or enrolment.execution_arn != execution:
            return False
        reason = "" if state is EnrolmentState.COMPLETED else error or status
        return self._enrolments.finish(enrolment, state, self._clock.now(), reason)
