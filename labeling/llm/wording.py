"""What became of calls, in words for people."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.llm.models import CallState, LlmCall

STATE_KINDS: Mapping[str, str] = {
    CallState.RESERVED: "info",
    CallState.STORED: "good",
    CallState.LOST: "attention",
    CallState.FAILED: "bad",
}
FAILURES: Mapping[str, Promise] = {
    "unauthorized": gettext_lazy("The key was refused"),
    "forbidden": gettext_lazy("The key may not use the model"),
    "not_found": gettext_lazy("No such model or path"),
    "rejected": gettext_lazy("The request was refused"),
    "rate_limited": gettext_lazy("Too many requests"),
    "server_error": gettext_lazy("The server failed"),
    "unavailable": gettext_lazy("The server was not available"),
    "timeout": gettext_lazy("No answer in time"),
    "dropped": gettext_lazy("The connection broke"),
    "bad_response": gettext_lazy("No readable answer"),
    "too_large": gettext_lazy("The answer was too large"),
    "blocked": gettext_lazy("The address was refused"),
    "not_sent": gettext_lazy("Called off before it was sent"),
    "duplicate": gettext_lazy("Answered twice at once"),
}
"""Source of the names: verifiers.contract.FailureKind, and actions.booking.DUPLICATE."""


def why(call: LlmCall) -> str:
    """Why the call gave no answer that is kept, empty for one that did; with its HTTP status where one came."""
    if call.state == CallState.LOST and not call.failure:
        return _("Its worker was lost")
    words = str(FAILURES.get(call.failure, ""))
    return f"{words} ({call.status})" if words and call.status else words
