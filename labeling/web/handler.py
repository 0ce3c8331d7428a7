"""How a web process answers HTTP: each request in one thread, from the first middleware to the last.

Django's own ASGI handler goes back to the event loop between a synchronous middleware and a synchronous view, and lets
every request begin at once. With two hundred people on one machine a request then waits for the interpreter at each of
these turns, and each holds a connection to the database meanwhile. What cannot be worked on yet waits outside instead.

Key presses have places of their own, so that slow pages do not hold them up; few, because threads that all want the
interpreter take it from each other (docs/decisions/0040).
"""

import asyncio
import re
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, cast
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from django import setup
from django.conf import settings
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.signals import request_started
from django.http import HttpRequest, HttpResponseBase
from django.urls import set_script_prefix


class ThreadHandler(ASGIHandler):
    """Django over ASGI with WEB_THREADS requests at once, and KEY_THREADS of those whose path is in KEY_PATHS.

    Bodies come in and answers go out beside them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._places: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()
        self._keys = ThreadPoolExecutor(settings.KEY_THREADS, thread_name_prefix="keys")

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: ARG002 (Django's signature)
        """One synchronous chain, so that nothing between the middlewares goes back to the event loop."""
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] == "http" and re.search(settings.KEY_PATHS, scope["path"]):
            await self._answer_key(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """The answer, made in the request's own thread as soon as there is a place."""
        async with self._place():
            answer: HttpResponseBase = await sync_to_async(self.get_response, thread_sensitive=True)(request)
            return answer

    async def _answer_key(self, scope: Any, receive: Any, send: Any) -> None:
        """One turn in a thread that stays, where Django makes a thread for each request and goes there three times."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        with body:
            request, refusal = self.create_request(scope, body)
            work = sync_to_async(self._work, thread_sensitive=False, executor=self._keys)
            answer = refusal if request is None else await work(scope, request)
            await self.send_response(cast("HttpResponseBase", answer), send)

    def _work(self, scope: Any, request: HttpRequest) -> HttpResponseBase:
        """The whole answer, its end included: there is nothing in it that is made while it is sent."""
        set_script_prefix(get_script_prefix(scope))
        request_started.send(sender=self.__class__, scope=scope)
        answer: Any = self.get_response(request)
        answer._handler_class = self.__class__
        answer.close()
        done: HttpResponseBase = answer
        return done

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
