"""The review app."""

from django.apps import AppConfig


class ReviewConfig(AppConfig):
    """Registers the review app."""

    name = "labeling.review"
    label = "review"
