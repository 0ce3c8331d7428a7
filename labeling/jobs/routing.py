"""WebSocket routes."""

from django.urls import path

from labeling.jobs.consumers import EventsConsumer

websocket_urls = [path("ws/events/", EventsConsumer.as_asgi())]
