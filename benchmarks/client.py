"""A signed-in client over HTTP, for measuring pages as a browser would ask for them."""

import time
from http.client import HTTPConnection
from typing import Any

TOKEN = "t" * 32


def sign_in(user: Any) -> str:
    """The cookies of a session of the user, made beside the site."""
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}; csrftoken={TOKEN}"


def fetch(port: int, path: str, cookies: str, body: str | None = None) -> tuple[int, bytes, float, float]:
    """(status, content, seconds to the first byte, seconds in all) of one request on a connection of its own."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Cookie": cookies, "X-CSRFToken": TOKEN, "Content-Type": "application/x-www-form-urlencoded"}
    started = time.perf_counter()
    connection.request("POST" if body is not None else "GET", path, body, headers)
    answer = connection.getresponse()
    first = answer.read(1)
    first_s = time.perf_counter() - started
    content = first + answer.read()
    connection.close()
    return answer.status, content, first_s, time.perf_counter() - started


def percentile(values: list[float], share: float) -> float:
    """The value below which that share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
