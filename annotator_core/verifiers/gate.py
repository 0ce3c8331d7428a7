"""Holds calls back on the threads that would send them: nothing begins once enough in a row have failed.

The thread that asks learns of a failure when it settles it. Until then idle threads would begin what is paid ahead.
"""

from threading import Lock
from typing import Final

from annotator_core.errors import CallFailed
from annotator_core.verifiers.contract import Asker, Call, Completion, Failure, FailureKind, Plan
from annotator_core.verifiers.pace import BREAK_AFTER, is_counted

NOT_SENT: Final = Failure(FailureKind.NOT_SENT, "The call was called off before it was sent.")


class Gate:
    """An asker's gate, for any number of threads."""

    def __init__(self, asker: Asker) -> None:
        """Start open."""
        self._asker, self._lock, self._failed = asker, Lock(), 0

    def count_from(self, failed: int) -> None:
        """Go on from so many failures in a row. Call it while nothing is under way."""
        with self._lock:
            self._failed = failed

    def complete(self, call: Call, plan: Plan) -> Completion:
        """Return the model's answer. Raises CallFailed: with NOT_SENT where the calls before it have failed."""
        with self._lock:
            if self._failed >= BREAK_AFTER:
                raise CallFailed(NOT_SENT)
        try:
            completion = self._asker.complete(call, plan)
        except CallFailed as error:
            with self._lock:
                self._failed += is_counted(error.failure)
            raise
        with self._lock:
            self._failed = 0
        return completion
