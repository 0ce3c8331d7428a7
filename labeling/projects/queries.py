"""Reads about projects."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, QuerySet

from labeling.accounts.models import User
from labeling.projects.models import LabelClass, Membership, Project


def projects_of(user_id: int) -> QuerySet[Project]:
    """The projects in which the person is a member, newest first, with `member_count`."""
    mine = Membership.objects.filter(user_id=user_id).values("project_id")
    return Project.objects.filter(id__in=mine).annotate(member_count=Count("memberships"))


def may_create_projects(user: User | AnonymousUser) -> bool:
    """Whether the person may make projects: the operators of the installation may, everybody else asks one."""
    return user.is_staff


def memberships_of(project: Project) -> QuerySet[Membership]:
    """Who is in the project, with the people, in the order they came."""
    return project.memberships.select_related("user").order_by("id")


def active_classes(project: Project) -> list[LabelClass]:
    """The classes a new vote or verdict may take, in order."""
    return list(project.classes.filter(is_retired=False))


def guideline_text(project: Project) -> str:
    """The current guideline in Markdown, empty when none was written."""
    newest = project.guidelines.first()
    return newest.text if newest else ""
