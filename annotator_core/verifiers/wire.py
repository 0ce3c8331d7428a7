"""The one door to an endpoint: the openai client over the guarded transport, without retries of its own."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2

from annotator_core.errors import CallFailed
from annotator_core.verifiers.failures import explain
from annotator_core.verifiers.guard import check_address, open_http


@dataclass(frozen=True, slots=True)
class Reply:
    """The bytes of an answer with a good status, and the wall time of its request."""

    body: bytes
    latency_s: float


class Wire:
    """Sends JSON to an endpoint and returns what comes; from several threads at once. Close it.

    Sent are the headers that the API needs and no others: nothing of the environment (OPENAI_ORG_ID,
    OPENAI_CUSTOM_HEADERS) reaches an endpoint that somebody typed.
    """

    def __init__(self, base_url: str, key: str | None, timeout_s: float, *, allow: Sequence[str] = ()) -> None:
        """Check the address; nothing is sent yet. Raises AddressRefused."""
        from openai import OpenAI

        self._http = open_http(check_address(base_url, allow=allow), timeout_s)
        self._http.event_hooks = {"request": [lambda request: _dress(request, key)]}
        self._client = OpenAI(
            # The client insists on a key; _dress says which is sent.
            api_key="none",
            base_url=base_url,
            http_client=self._http,
            max_retries=0,
            timeout=timeout_s,
        )

    def post(self, path: str, body: Mapping[str, Any]) -> Reply:
        """Return the answer to a request. Raises CallFailed."""
        return self._send(lambda: self._client.post(path, cast_to=httpx2.Response, body=dict(body)))

    def get(self, path: str) -> Reply:
        """Return what stands at a path. Raises CallFailed."""
        return self._send(lambda: self._client.get(path, cast_to=httpx2.Response))

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def _send(self, send: Any) -> Reply:
        started = time.perf_counter()
        try:
            return Reply(send().content, time.perf_counter() - started)
        except Exception as error:  # noqa: BLE001 - whatever a response makes the client raise is a failed call
            failure = explain(error)
        # Outside the handler, so that the client's error, which holds request and response, goes no further.
        raise CallFailed(failure)


def _dress(request: httpx2.Request, key: str | None) -> None:
    kept = {
        name: request.headers[name] for name in ("host", "content-length", "content-type") if name in request.headers
    }
    request.headers = httpx2.Headers(
        {**kept, "accept": "application/json", "connection": "keep-alive", "user-agent": "AutoAnnotator"}
        | ({"authorization": f"Bearer {key}"} if key else {})
    )
