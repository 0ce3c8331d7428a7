"""One time limit for a whole exchange: an HTTP client's own is for each read, and a server may drip for ever."""

import threading
import time
from typing import Any

import httpx2


class Deadline(threading.local):
    """When the exchange of this thread must be over, by time.monotonic(). A request is sent and read by one thread."""

    ends_at = float("inf")

    def cut(self, timeout_s: float | None) -> float:
        """Return the seconds that one step may take. Raises ReadTimeout when the exchange's own are over."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise httpx2.ReadTimeout("The answer took too long.")
        return left if timeout_s is None else min(timeout_s, left)


def hold(transport: httpx2.HTTPTransport, deadline: Deadline) -> None:
    """Let every step of the transport's connections end with the deadline: connect, TLS, write, head and body."""
    # No public argument takes a network backend; a test fails where these names change.
    pool: Any = transport._pool
    pool._network_backend = _Backend(pool._network_backend, deadline)


class _Backend:
    def __init__(self, inner: Any, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **options: Any) -> "_Stream":
        stream = self._inner.connect_tcp(host, port, timeout=self._deadline.cut(timeout), **options)
        return _Stream(stream, self._deadline)


class _Stream:
    def __init__(self, inner: Any, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> Any:
        return self._inner.read(max_bytes, timeout=self._deadline.cut(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout=self._deadline.cut(timeout))

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> "_Stream":
        inner = self._inner.start_tls(ssl_context, server_hostname, timeout=self._deadline.cut(timeout))
        return _Stream(inner, self._deadline)

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
