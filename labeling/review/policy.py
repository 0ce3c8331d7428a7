"""Changing how a project reviews, with what follows for its queue."""

from typing import Any

from labeling.labels.actions import settle_overlap
from labeling.projects.actions import edit_review
from labeling.projects.models import Project


def save_policy(*, project: Project, **given: Any) -> int:
    """Store what `edit_review` takes; how many open items the new numbers of people decided. Raises ActionError.

    The queue follows in transactions of its own, since it may be long.
    """
    return settle_overlap(project=project) if edit_review(project=project, **given) else 0


def settle_people(project: Project) -> None:
    """What the queue does when somebody came to the project or left it."""
    settle_overlap(project=project)
