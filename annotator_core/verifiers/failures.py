"""Why a call failed, from what the client raised: for a person, without a piece of the response, a key or a header."""

import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

import httpx2

from annotator_core.errors import AddressRefused
from annotator_core.verifiers.contract import Failure, FailureKind
from annotator_core.verifiers.guard import BodyTooLarge

if TYPE_CHECKING:
    from openai import APIConnectionError, APIStatusError

MAX_RETRY_AFTER_S: Final = 86_400.0
"""A wish for a longer pause counts as a day; chosen."""

_BY_STATUS: Final[Mapping[int, tuple[FailureKind, str]]] = {
    401: (FailureKind.UNAUTHORIZED, "The endpoint refuses the key: enter a valid one."),
    402: (FailureKind.FORBIDDEN, "The account at the endpoint has no credit left: add some there."),
    403: (FailureKind.FORBIDDEN, "The endpoint does not allow this key to use the model: check its rights there."),
    404: (FailureKind.NOT_FOUND, "The endpoint has no such model or path: check the address and the model's name."),
    405: (FailureKind.NOT_FOUND, "The endpoint takes no questions at this path: check the address."),
    408: (FailureKind.TIMEOUT, "The endpoint gave up waiting."),
    409: (FailureKind.SERVER_ERROR, "The endpoint could not take the request just now."),
    410: (FailureKind.NOT_FOUND, "The model or path is gone from the endpoint: choose another model."),
    425: (FailureKind.UNAVAILABLE, "The endpoint could not take the request just now."),
    429: (FailureKind.RATE_LIMITED, "The endpoint asks for fewer requests."),
    503: (FailureKind.UNAVAILABLE, "The endpoint is overloaded or down for now."),
    529: (FailureKind.UNAVAILABLE, "The endpoint is overloaded or down for now."),
}
_UNPAID: Final = frozenset({"insufficient_quota", "billing_not_active"})
"""Codes of OpenAI that come as 429 though no waiting helps."""


def explain(error: Exception) -> Failure:
    """Return the failure behind anything that a request to an endpoint raised."""
    from openai import APIConnectionError, APIStatusError

    if isinstance(error, APIStatusError):
        return _explain_status(error)
    if isinstance(error, APIConnectionError):
        return _explain_transport(error)
    if isinstance(error, AddressRefused):
        return Failure(FailureKind.BLOCKED, error.message)
    return fail_unreadable()


def fail_unreadable() -> Failure:
    """Return the failure of an answer that is none: HTML, JSON without a choice, half of one."""
    words = (
        "The endpoint's answer is no chat completion: check that the address is the one of an OpenAI-compatible API."
    )
    return Failure(FailureKind.BAD_RESPONSE, words, may_have_cost=True)


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a server asks to wait, 0 to a day; None where it does not say, or not so it is read.

    Source: RFC 9110, 10.2.3 (seconds or a date); retry-after-ms is OpenAI's.
    """
    milliseconds, written = headers.get("retry-after-ms"), headers.get("retry-after", "")
    try:
        seconds = float(milliseconds) / 1_000 if milliseconds else float(written)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(written).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S) if not math.isnan(seconds) else None


def _explain_status(error: "APIStatusError") -> Failure:
    status, code = error.status_code, _read_code(error)
    kind, words = _BY_STATUS.get(status) or _name_status(status)
    if status == 429 and code in _UNPAID:
        kind, words = _BY_STATUS[402]
    if status == 400 and code == "content_filter":
        words = "The endpoint's content filter refuses this text."
    return Failure(
        kind,
        f"{words} (HTTP {status})",
        status=status,
        retry_after_s=read_retry_after(error.response.headers),
        may_have_cost=status >= 500 or kind is FailureKind.TIMEOUT,
    )


def _name_status(status: int) -> tuple[FailureKind, str]:
    if status < 400:
        return FailureKind.BLOCKED, "The endpoint sends requests on to another address: enter that one."
    if status < 500:
        return FailureKind.REJECTED, "The endpoint refuses the request: the text may be too long for the model."
    return FailureKind.SERVER_ERROR, "The endpoint failed."


def _read_code(error: "APIStatusError") -> str:
    """Return the error's code as the server names it: compared with known ones, never shown."""
    code: Any = error.code
    return code if isinstance(code, str) else ""


def _explain_transport(error: "APIConnectionError") -> Failure:
    cause = error.__cause__
    if isinstance(cause, BodyTooLarge):
        return Failure(FailureKind.TOO_LARGE, "The endpoint's answer is too large to be a verdict.", may_have_cost=True)
    if isinstance(cause, httpx2.ConnectTimeout | httpx2.PoolTimeout):
        return Failure(FailureKind.TIMEOUT, "The endpoint cannot be reached in time.")
    if isinstance(cause, httpx2.TimeoutException):
        return Failure(FailureKind.TIMEOUT, "The endpoint did not answer in time.", may_have_cost=True)
    if isinstance(cause, httpx2.ConnectError):
        return Failure(FailureKind.DROPPED, "The endpoint cannot be reached: check the address and that it runs.")
    return Failure(FailureKind.DROPPED, "The connection broke before the answer was there.", may_have_cost=True)
