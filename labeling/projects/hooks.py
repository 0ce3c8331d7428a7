"""What later apps do when a project's people change. They add themselves when they start (AppConfig.ready).

A plain list and no signal: whoever reads this finds who fills it and who calls it by its name.
"""

from collections.abc import Callable
from functools import partial

from django.db import transaction

from labeling.projects.models import Project

AFTER_PEOPLE_CHANGE: list[Callable[[Project], object]] = []
"""Called with the project when somebody came, left, or got another role, as soon as that is committed."""


def people_changed(project: Project) -> None:
    """Let every later app settle what depends on who is in the project, once this transaction has ended well."""
    for settle in AFTER_PEOPLE_CHANGE:
        transaction.on_commit(partial(settle, project))
