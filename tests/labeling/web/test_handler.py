"""How a web process answers: each request in one thread, and no more of them at once than there are places."""

import asyncio
import re
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.core.signals import request_finished
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path, reverse

from labeling.web.handler import ThreadHandler, make_handler

SEEN: SimpleNamespace


def middleware(get_response: Any) -> Any:
    """Notes the thread in which it stands around the view."""

    def answer(request: HttpRequest) -> HttpResponse:
        SEEN.threads.append(("middleware", threading.get_ident()))
        return get_response(request)

    return answer


def wait_inside(request: HttpRequest) -> HttpResponse:
    """Counts who is inside, and stays until let go."""
    SEEN.threads.append(("view", threading.get_ident()))
    with SEEN.lock:
        SEEN.inside += 1
        SEEN.most = max(SEEN.most, SEEN.inside)
        SEEN.came.release()
    SEEN.go.wait(30)
    with SEEN.lock:
        SEEN.inside -= 1
    return HttpResponse("done")


def press(request: HttpRequest) -> HttpResponse:
    """What a person waits for between two keys."""
    SEEN.threads.append(("view", threading.get_ident()))
    if request.GET:
        raise ZeroDivisionError
    return HttpResponse("pressed")


async def _later() -> Any:
    for word in ("one ", "two"):
        yield word


def stream(request: HttpRequest) -> StreamingHttpResponse:
    """An answer in parts, made on the event loop."""
    return StreamingHttpResponse(_later(), content_type="text/plain")


def fail(request: HttpRequest) -> HttpResponse:
    """A fault of the product."""
    raise ZeroDivisionError


urlpatterns = [path("inside", wait_inside), path("key", press), path("stream", stream), path("fail", fail)]


@pytest.fixture
def handler(settings: Any) -> ThreadHandler:
    """Two places."""
    global SEEN  # noqa: PLW0603 (views know no fixture)
    SEEN = SimpleNamespace(
        threads=[], inside=0, most=0, lock=threading.Lock(), came=threading.Semaphore(0), go=threading.Event()
    )
    settings.WEB_THREADS, settings.ROOT_URLCONF, settings.DEBUG = 2, __name__, False
    settings.KEY_THREADS, settings.KEY_PATHS = 1, "^/key$"
    settings.MIDDLEWARE = [f"{__name__}.middleware"]
    handler = make_handler()
    assert isinstance(handler, ThreadHandler)
    return handler


def test_no_more_requests_are_worked_on_at_once_than_there_are_places(handler: ThreadHandler) -> None:
    async def ask_five() -> list[tuple[int, bytes]]:
        asked = [asyncio.create_task(_get(handler, "/inside")) for _number in range(5)]
        for _number in range(2):
            assert await asyncio.to_thread(SEEN.came.acquire, True, 30)
        SEEN.go.set()
        return await asyncio.gather(*asked)

    assert asyncio.run(ask_five()) == [(200, b"done")] * 5
    assert SEEN.most == 2


def test_slow_pages_do_not_hold_up_a_key_press(handler: ThreadHandler) -> None:
    async def ask() -> tuple[int, bytes]:
        slow = [asyncio.create_task(_get(handler, "/inside")) for _number in range(3)]
        for _number in range(2):
            assert await asyncio.to_thread(SEEN.came.acquire, True, 30)
        pressed = await _get(handler, "/key")
        SEEN.go.set()
        await asyncio.gather(*slow)
        return pressed

    assert asyncio.run(ask()) == (200, b"pressed")


def test_key_presses_stand_in_a_thread_that_stays_and_ends_each_of_them(handler: ThreadHandler) -> None:
    ended = []

    def note(**_more: Any) -> None:
        ended.append(threading.get_ident())

    async def ask() -> list[tuple[int, bytes]]:
        return [await _get(handler, "/key", query) for query in (b"", b"fails", b"")]

    request_finished.connect(note)
    try:
        found = asyncio.run(ask())
    finally:
        request_finished.disconnect(note)
    assert [status for status, _content in found] == [200, 500, 200]
    assert {thread for _where, thread in SEEN.threads} == set(ended)
    assert len(set(ended)) == 1
    assert len(ended) == 3


def test_a_key_press_that_never_comes_whole_does_nothing(handler: ThreadHandler) -> None:
    async def ask() -> tuple[int, bytes]:
        gone = _open(handler, "/key")
        await gone.send_input({"type": "http.request", "body": b"half", "more_body": True})
        await gone.send_input({"type": "http.disconnect"})
        await gone.wait(timeout=30)
        assert SEEN.threads == []
        return await _get(handler, "/key")

    assert asyncio.run(ask()) == (200, b"pressed")


def test_the_places_of_key_presses_are_those_of_the_review_screens_wire() -> None:
    assert re.search(settings.KEY_PATHS, reverse("review:send", args=["a-project"]))
    assert not re.search(settings.KEY_PATHS, reverse("review:screen", args=["a-project"]))


def test_a_place_is_given_back_after_a_fault_and_after_an_answer_in_parts(handler: ThreadHandler) -> None:
    async def ask() -> list[tuple[int, bytes]]:
        SEEN.go.set()
        addresses = ["/fail"] * 3 + ["/stream"] * 3 + ["/nowhere", "/inside"]
        return [await _get(handler, address) for address in addresses]

    found = asyncio.run(ask())
    assert [status for status, _content in found] == [500] * 3 + [200] * 3 + [404, 200]
    assert {content for status, content in found[3:6]} == {b"one two"}


def test_middleware_and_view_stand_in_the_same_thread_which_is_not_the_loops(handler: ThreadHandler) -> None:
    SEEN.go.set()
    asyncio.run(_get(handler, "/inside"))
    ((first, outer), (second, inner)) = SEEN.threads
    assert (first, second) == ("middleware", "view")
    assert outer == inner != threading.get_ident()


def test_somebody_who_hangs_up_while_waiting_takes_nobodys_place(handler: ThreadHandler) -> None:
    async def ask() -> tuple[int, bytes]:
        first = [asyncio.create_task(_get(handler, "/inside")) for _number in range(2)]
        for _number in range(2):
            assert await asyncio.to_thread(SEEN.came.acquire, True, 30)
        gone = _open(handler, "/inside")
        await gone.send_input({"type": "http.request", "body": b"", "more_body": False})
        await gone.send_input({"type": "http.disconnect"})
        await gone.wait(timeout=30)
        SEEN.go.set()
        await asyncio.gather(*first)
        return await _get(handler, "/inside")

    assert asyncio.run(ask()) == (200, b"done")
    assert SEEN.most == 2


def _open(handler: ThreadHandler, address: str, query: bytes = b"") -> ApplicationCommunicator:
    scope = {
        "type": "http",
        "method": "GET",
        "path": address,
        "query_string": query,
        "headers": [(b"host", b"localhost")],
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
        "scheme": "http",
    }
    return ApplicationCommunicator(handler, scope)


async def _get(handler: ThreadHandler, address: str, query: bytes = b"") -> tuple[int, bytes]:
    line = _open(handler, address, query)
    await line.send_input({"type": "http.request", "body": b"", "more_body": False})
    start = await line.receive_output(timeout=60)
    content, more = b"", True
    while more:
        part = await line.receive_output(timeout=60)
        content, more = content + part.get("body", b""), part.get("more_body", False)
    await line.wait(timeout=60)
    return start["status"], content
