"""The shared kit of all pages."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Typed requests, rendering, page parts, error pages and the headers of every response."""

    name = "labeling.web"
    label = "web"
