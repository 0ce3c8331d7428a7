"""The overview app."""

from django.apps import AppConfig


class OverviewConfig(AppConfig):
    """Registers the overview app."""

    name = "labeling.overview"
    label = "overview"
