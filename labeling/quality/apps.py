"""The quality app."""

from django.apps import AppConfig


class QualityConfig(AppConfig):
    """Registers the quality app."""

    name = "labeling.quality"
    label = "quality"
