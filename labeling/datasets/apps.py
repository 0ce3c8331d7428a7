"""The datasets app."""

from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    """Registers the datasets app."""

    name = "labeling.datasets"
    label = "datasets"
