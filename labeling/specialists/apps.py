"""The specialists app."""

from django.apps import AppConfig


class SpecialistsConfig(AppConfig):
    """Registers the specialists app."""

    name = "labeling.specialists"
    label = "specialists"
