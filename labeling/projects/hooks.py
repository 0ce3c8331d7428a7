"""What later apps do when a project's people change. They add themselves when they start (AppConfig.ready).

A plain list and no signal: whoever reads this finds the callers by its name, and a failure undoes the change.
"""

from collections.abc import Callable

from labeling.projects.models import Project

AFTER_PEOPLE_CHANGE: list[Callable[[Project], None]] = []
"""Called within the transaction in which somebody came, left, or got another role."""


def people_changed(project: Project) -> None:
    """Let every later app settle what depends on who is in the project."""
    for settle in AFTER_PEOPLE_CHANGE:
        settle(project)
