"""The labels app."""

from django.apps import AppConfig


class LabelsConfig(AppConfig):
    """Registers the labels app."""

    name = "labeling.labels"
    label = "labels"
