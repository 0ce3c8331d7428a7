"""The review app."""

from django.apps import AppConfig


class ReviewConfig(AppConfig):
    """Registers the review app."""

    name = "labeling.review"
    label = "review"

    def ready(self) -> None:
        """The queue follows when a project's people change."""
        from labeling.projects.hooks import AFTER_PEOPLE_CHANGE
        from labeling.review.policy import settle_people

        AFTER_PEOPLE_CHANGE.append(settle_people)
