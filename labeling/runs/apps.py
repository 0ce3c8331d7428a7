"""The runs app."""

from django.apps import AppConfig


class RunsConfig(AppConfig):
    """Registers the runs app."""

    name = "labeling.runs"
    label = "runs"
