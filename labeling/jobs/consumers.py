"""The progress socket: states of the topics a page names, if the person is a member of their projects."""

import asyncio
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from labeling.jobs.publish import GROUP
from labeling.jobs.queries import newest_states, topic_project_ids
from labeling.jobs.tailer import tailer
from labeling.projects.access import member_project_ids

MAX_TOPICS = 20
REFUSED = 4403


class EventsConsumer(AsyncJsonWebsocketConsumer):
    """Sends {"topic", "seq", "state"}; a slow socket skips to the latest state of each topic."""

    topics: frozenset[str] = frozenset()
    pending: dict[str, tuple[int, dict[str, object]]]
    newest: dict[str, int]
    news: asyncio.Event
    sender: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Accept only a signed-in member of every topic's project; then send the full snapshot."""
        wanted = parse_qs(self.scope["query_string"].decode("latin-1")).get("topics", [""])[0].split(",")[:MAX_TOPICS]
        allowed = await database_sync_to_async(_allowed)(self.scope["user"].pk, [topic for topic in wanted if topic])
        await self.accept()
        if not allowed:
            await self.close(REFUSED)
            return
        self.topics, self.pending, self.newest, self.news = frozenset(allowed), {}, {}, asyncio.Event()
        if self.channel_layer is not None:
            await self.channel_layer.group_add(GROUP, self.channel_name)
        tailer().join(self, self._offer)
        for topic, (seq, state) in (await database_sync_to_async(newest_states)(allowed)).items():
            self._offer(topic, seq, state)
        self.sender = asyncio.create_task(self._send_pending())

    async def disconnect(self, _code: int) -> None:
        """Leave the tailer."""
        tailer().leave(self)
        if self.sender:
            self.sender.cancel()
        if self.topics and self.channel_layer is not None:
            await self.channel_layer.group_discard(GROUP, self.channel_name)

    async def events_new(self, _message: dict[str, Any]) -> None:
        """The channel layer says that there is something to read."""
        tailer().wake()

    def _offer(self, topic: str, seq: int, state: dict[str, object]) -> None:
        if topic in self.topics and self.newest.get(topic, 0) < seq:
            self.newest[topic] = seq
            self.pending[topic] = (seq, state)
            self.news.set()

    async def _send_pending(self) -> None:
        while True:
            await self.news.wait()
            self.news.clear()
            waiting, self.pending = self.pending, {}
            for topic, (seq, state) in waiting.items():
                await self.send_json({"topic": topic, "seq": seq, "state": state})


def _allowed(user_id: int | None, topics: list[str]) -> list[str]:
    """All topics when the person is a member of every one's project, else none."""
    projects = topic_project_ids(topics)
    mine = member_project_ids(user_id) if user_id else set()
    is_fine = bool(topics) and set(projects) == set(topics) and set(projects.values()) <= mine
    return topics if is_fine else []
