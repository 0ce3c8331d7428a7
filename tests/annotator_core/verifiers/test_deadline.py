"""A server that never comes to its answer's body is left in time, whatever it sends meanwhile."""

import socket
import time
from threading import Event, Thread

import pytest

from annotator_core.errors import CallFailed
from annotator_core.verifiers.contract import FailureKind
from annotator_core.verifiers.wire import Wire

TIMEOUT_S = 0.3


@pytest.mark.parametrize(
    ("head", "drop", "pause_s"),
    [
        (b"HTTP/1.1 200 OK\r\nx-slow: ", b"a", 0.05),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.05),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100, 0.0),
    ],
)
def test_a_head_that_never_ends_takes_one_timeout(head: bytes, drop: bytes, pause_s: float) -> None:
    is_over = Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=_drip, args=(server, head, drop, pause_s, is_over))
        thread.start()
        wire = Wire(f"http://127.0.0.1:{server.getsockname()[1]}/v1", None, TIMEOUT_S, allow=["127.0.0.1"])
        started = time.monotonic()
        try:
            with pytest.raises(CallFailed) as caught:
                wire.post("/chat/completions", {})
            took = time.monotonic() - started
        finally:
            wire.close()
            is_over.set()
            thread.join()
    failure = caught.value.failure
    assert (failure.kind, failure.may_have_cost) == (FailureKind.TIMEOUT, True)
    assert took < 10 * TIMEOUT_S


def _drip(server: socket.socket, head: bytes, drop: bytes, pause_s: float, is_over: Event) -> None:
    connection, _address = server.accept()
    with connection:
        connection.recv(65_536)
        try:
            connection.sendall(head)
            while not is_over.wait(pause_s):
                connection.sendall(drop)
        except OSError:
            return
