"""Changing how a project reviews, with what follows for its queue."""

from typing import Any

from labeling.labels.actions import follow_overlap
from labeling.projects.actions import edit_review
from labeling.projects.models import Project


def save_policy(*, project: Project, **given: Any) -> int | None:
    """Store what `edit_review` takes; how many open items the new numbers of people decided. Raises ActionError.

    None where the queue is long and follows in the background.
    """
    return follow_overlap(project=project) if edit_review(project=project, **given) else 0


def settle_people(project: Project) -> None:
    """What the queue does when somebody came to the project or left it."""
    follow_overlap(project=project)
