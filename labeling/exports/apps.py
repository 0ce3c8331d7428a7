"""The exports app."""

from django.apps import AppConfig


class ExportsConfig(AppConfig):
    """Registers the exports app."""

    name = "labeling.exports"
    label = "exports"
