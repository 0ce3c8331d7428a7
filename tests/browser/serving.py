"""The whole site in this process: uvicorn in a thread and both workers' rooms, on the test's database."""

import gc
import socket
from contextlib import contextmanager
from threading import Thread

import uvicorn

from labeling.pipeline.room import Room

CONFIG = {
    "http": "httptools",
    "ws": "websockets-sansio",
    "loop": "asyncio",
    "lifespan": "off",
    "access_log": False,
    "log_level": "warning",
    "proxy_headers": False,
    "timeout_graceful_shutdown": 5,
}


class Site:
    """A running site; `address` is its http://host:port."""

    def __init__(self):
        # Connections wait in the backlog until the server answers, so that nobody has to wait for its start.
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.server = uvicorn.Server(uvicorn.Config("labeling.conf.asgi:application", **CONFIG))
        self.thread = Thread(target=self.server.run, kwargs={"sockets": [self.listener]}, name="uvicorn")
        self.rooms = []

    def open_rooms(self):
        """Start the light and the heavy worker."""
        for name, queues, hands in (("light", ["io", "verify"], 2), ("heavy", ["consensus", "refine"], 1)):
            room = Room(queues, hands)
            room.name = f"{room.name}-{name}"
            room.open()
            self.rooms.append(room)

    def close_sockets(self):
        """Drop all WebSockets as a proxy or a restart would."""
        for connection in list(self.server.server_state.connections):
            if type(connection).__name__.startswith("WebSocket"):
                connection.loop.call_soon_threadsafe(connection.transport.close)

    def close(self):
        """Stop everything and wait for it."""
        for room in self.rooms:
            room.close()
        self.server.should_exit = True
        self.thread.join(20)
        self.listener.close()
        threads = [self.thread, *(thread for room in self.rooms for thread in room.threads)]
        assert [thread.name for thread in threads if thread.is_alive()] == []
        gc.collect()


@contextmanager
def serving(*, with_workers):
    """A site that is over, with all its threads, when the block ends."""
    site = Site()
    site.thread.start()
    try:
        if with_workers:
            site.open_rooms()
        yield site
    finally:
        site.close()
