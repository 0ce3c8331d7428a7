"""People who speak the review screen's wire without a browser: each decides over one kept-alive connection.

A client does what the page does: it holds three texts, decides the first, sends the decision, and takes the next text
out of the same answer. Many of them live in one process, on asyncio, so that they cost little beside the site.
"""

import asyncio
import json
import random
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from benchmarks.client import TOKEN

HELD = 3  # as many as the page holds
PATIENCE_S = 20.0
EMPTY_WAIT_S = 1.0
RETRY_S = 0.1
HEAD_EVERY_S = 10.0  # as the page asks for the line about its day


class Line:
    """A connection that is kept open, and opened again when the server closed it."""

    def __init__(self, port: int, cookies: str) -> None:
        self.port, self.cookies = port, cookies
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, body: dict[str, Any]) -> tuple[int, bytes]:
        """(status, content). Raises OSError, EOFError or TimeoutError where no whole answer came."""
        content = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nCookie: {self.cookies}\r\nX-CSRFToken: {TOKEN}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        try:
            return await asyncio.wait_for(self._ask(head.encode() + content), PATIENCE_S)
        except BaseException:
            self.close()
            raise

    async def _ask(self, request: bytes) -> tuple[int, bytes]:
        """As a browser does: a line that the server had closed meanwhile is opened again, and asked once more."""
        if self.streams is not None:
            try:
                return await self._exchange(request)
            except (ConnectionError, asyncio.IncompleteReadError) as error:
                if getattr(error, "partial", b""):
                    raise
                self.close()
        return await self._exchange(request)

    async def _exchange(self, request: bytes) -> tuple[int, bytes]:
        if self.streams is None:
            self.streams = await asyncio.open_connection("127.0.0.1", self.port, limit=2**20)
        reader, writer = self.streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = next(line for line in head.split("\r\n") if line.startswith("content-length:"))
        content = await reader.readexactly(int(length.partition(":")[2]))
        if "\r\nconnection: close" in head:
            self.close()
        return int(head.split(" ", 2)[1]), content

    def close(self) -> None:
        """Hang up."""
        if self.streams is not None:
            self.streams[1].close()
            self.streams = None


@dataclass(slots=True)
class Seen:
    """What a client saw: seconds of its submits, outcomes by client id, every text it was given, what went wrong."""

    submits: list[float] = field(default_factory=list)
    outcomes: dict[str, str] = field(default_factory=dict)
    given: list[int] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    waited: int = 0
    "How often it stood before an empty screen."


class Client:
    """One signed-in person. Decides by `choose(item)` until told to leave; sends again what was not acknowledged."""

    def __init__(self, line: Line, slug: str, class_ids: list[int]) -> None:
        self.line, self.path, self.class_ids = line, f"/p/{slug}/label/send", class_ids
        self.held: list[int] = []
        self.mark = ""
        self.head_at = -HEAD_EVERY_S
        self.seen = Seen()

    async def send(self, actions: list[dict[str, Any]], want: int = HELD) -> bool:
        """Whether the server answered; what it said is in `seen` and `held`."""
        begun = time.monotonic()
        head = begun - self.head_at >= HEAD_EVERY_S
        body = {"actions": actions, "have": self.held, "want": want, "classes": self.mark, "head": head}
        try:
            status, content = await self.line.post(self.path, body)
        except (OSError, EOFError, TimeoutError) as error:
            self.seen.errors.append(type(error).__name__)
            return False
        if status != 200:
            self.seen.errors.append(f"{status}: {content[:200].decode(errors='replace')}")
            return False
        answer = json.loads(content)
        self.head_at = begun if answer["head"] is not None else self.head_at
        self._take(answer)
        return True

    def _take(self, answer: dict[str, Any]) -> None:
        self.seen.outcomes |= {result["id"]: result["outcome"] for result in answer["results"]}
        self.held = [item for item in self.held if item not in answer["lost"]]
        new = [card["item"] for card in answer["cards"] if card["item"] not in self.held]
        self.held += new
        self.mark = (answer["classes"] or {}).get("mark", self.mark)
        self.seen.given += new

    async def decide(self, think_ms: int = 1_000) -> None:
        """Decide the first text that it holds, and keep sending until the server says what became of it."""
        item = self.held.pop(0)
        action = {
            "kind": "decide",
            "id": str(uuid4()),
            "item": item,
            "class": self.class_ids[item % len(self.class_ids)],
        }
        action |= {"seen": False, "elapsed_ms": think_ms}
        began = time.perf_counter()
        # Until it is acknowledged, as the page's outbox does.
        while not await self.send([action]):  # noqa: ASYNC110 (there is nothing to wait for but the next try)
            await asyncio.sleep(RETRY_S)
        self.seen.submits.append(time.perf_counter() - began)


async def live(client: Client, leaving: asyncio.Event, think_s: float, chance: random.Random) -> None:
    """Think and decide, `think_s` on average, until everybody leaves. They come one after the other at first."""
    await _wait(leaving, chance.uniform(0, think_s))
    while not leaving.is_set():
        if not client.held:
            await client.send([])
            if not client.held:
                client.seen.waited += 1
                await _wait(leaving, EMPTY_WAIT_S)
                continue
        if think_s:
            await _wait(leaving, chance.uniform(0.5, 1.5) * think_s)
        if client.held and not leaving.is_set():
            await client.decide(int(1_000 * think_s) or 1_000)
    client.line.close()


async def live_for(clients: Iterable[Client], seconds: float, think_s: float) -> None:
    """All clients at once, for so long."""
    over = threading.Event()
    asyncio.get_running_loop().call_later(seconds, over.set)
    await live_until(clients, over, think_s)


async def live_until(clients: Iterable[Client], over: threading.Event, think_s: float, seed: int = 1) -> None:
    """All clients at once, until somebody says that it is over."""
    leaving = asyncio.Event()
    people = [
        asyncio.create_task(live(one, leaving, think_s, random.Random(f"{seed} {number}")))
        for number, one in enumerate(clients)
    ]
    await asyncio.to_thread(over.wait)
    leaving.set()
    await asyncio.gather(*people)


async def _wait(leaving: asyncio.Event, seconds: float) -> None:
    """So long, or until everybody leaves."""
    try:
        await asyncio.wait_for(leaving.wait(), seconds)
    except TimeoutError:
        return


def given_twice(clients: Iterable[Client]) -> set[int]:
    """Texts that more than one client was given."""
    owner: dict[int, int] = {}
    twice = set()
    for number, client in enumerate(clients):
        for item in client.seen.given:
            if owner.setdefault(item, number) != number:
                twice.add(item)
    return twice
