"""The refinement app."""

from django.apps import AppConfig


class RefinementConfig(AppConfig):
    """Registers the refinement app."""

    name = "labeling.refinement"
    label = "refinement"
