"""Reads about projects."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.utils import timezone

from labeling.accounts.models import User
from labeling.projects.models import Invitation, LabelClass, Membership, Project
from labeling.web.prepared import Prepared


def may_create_projects(user: User | AnonymousUser) -> bool:
    """Whether the person may make projects: the operators of the installation may, everybody else asks one."""
    return user.is_staff


def memberships_of(project: Project) -> QuerySet[Membership]:
    """Who is in the project, with the people, in the order they came."""
    return project.memberships.select_related("user").order_by("id")


def open_invitations(project: Project) -> QuerySet[Invitation]:
    """The links with places and time left that were not called back, with who made them."""
    left = project.invitations.filter(revoked_at=None, places__gt=0, expires_at__gt=timezone.now())
    return left.select_related("created_by")


_active_classes = Prepared(lambda project_id: LabelClass.objects.filter(project_id=project_id, is_retired=False))


def active_classes(project: Project) -> list[LabelClass]:
    """The classes a new vote or verdict may take, in order."""
    found: list[LabelClass] = _active_classes(project.pk)
    for one in found:
        one.project = project
    return found


def guideline_text(project: Project) -> str:
    """The current guideline in Markdown, empty when none was written."""
    newest = project.guidelines.first()
    return newest.text if newest else ""
