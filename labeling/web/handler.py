"""How a web process answers HTTP: each request in one thread, from the first middleware to the last.

Django's own ASGI handler goes back to the event loop between a synchronous middleware and a synchronous view, and lets
every request begin at once. With two hundred people on one machine a request then waits for the interpreter at each of
these turns, and each holds a connection to the database meanwhile. What cannot be worked on yet waits outside instead.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from django import setup
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponseBase


class ThreadHandler(ASGIHandler):
    """Django over ASGI with WEB_THREADS requests at once; bodies come in and answers go out beside them."""

    def __init__(self) -> None:
        super().__init__()
        self._places: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: ARG002 (Django's signature)
        """One synchronous chain, so that nothing between the middlewares goes back to the event loop."""
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """The answer, made in the request's own thread as soon as there is a place."""
        async with self._place():
            answer: HttpResponseBase = await sync_to_async(self.get_response, thread_sensitive=True)(request)
            return answer

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        places = self._places.setdefault(loop, asyncio.Semaphore(settings.WEB_THREADS))
        async with places:
            yield


def make_handler() -> Any:
    """What `django.core.asgi.get_asgi_application` gives, with the threads above."""
    setup(set_prefix=False)
    return ThreadHandler()
