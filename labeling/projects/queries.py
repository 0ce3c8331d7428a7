"""Reads about projects."""

from django.db.models import Count, QuerySet

from labeling.projects.models import LabelClass, Membership, Project


def projects_of(user_id: int) -> QuerySet[Project]:
    """The projects in which the person is a member, newest first, with `member_count`."""
    mine = Membership.objects.filter(user_id=user_id).values("project_id")
    return Project.objects.filter(id__in=mine).annotate(member_count=Count("memberships"))


def active_classes(project: Project) -> list[LabelClass]:
    """The classes a new vote or verdict may take, in order."""
    return list(project.classes.filter(is_retired=False))


def guideline_text(project: Project) -> str:
    """The current guideline in Markdown, empty when none was written."""
    newest = project.guidelines.first()
    return newest.text if newest else ""
