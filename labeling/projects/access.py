"""Who may see what: the only door to a project. A stranger gets 404, a member whose role is too weak 403."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _

from labeling.projects.models import Membership, Project, Role
from labeling.web.prepared import Prepared

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)


_memberships = Prepared(
    lambda user_id, slug: Membership.objects.select_related("project").filter(user_id=user_id, project__slug=slug)
)


@dataclass(frozen=True, slots=True)
class Access:
    """A project as one person may see it."""

    project: Project
    role: Role

    def may(self, role: Role) -> bool:
        """Whether the person's role is at least `role`."""
        return self.role.rank >= role.rank

    @property
    def can_manage(self) -> bool:
        """Whether manager pages are open to the person."""
        return self.may(Role.MANAGER)

    def context(self) -> dict[str, Any]:
        """What every project page needs."""
        can_review = self.may(Role.REVIEWER)
        return {"project": self.project, "role": self.role, "can_manage": self.can_manage, "can_review": can_review}


def access_project(user_id: int | None, slug: str, role: Role = Role.ANNOTATOR) -> Access:
    """The project by its slug for a member whose role is at least `role`. Raises Http404, PermissionDenied."""
    membership = next(iter(_memberships(user_id or 0, slug)), None)
    if membership is None:
        raise Http404(_("There is no such project, or you are not a member of it."))
    access = Access(membership.project, Role(membership.role))
    if not access.may(role):
        needed = role.label
        raise PermissionDenied(
            _("This page is for the role “%(role)s” or above. Ask a manager of the project.") % {"role": needed}
        )
    return access


def member_project_ids(user_id: int | None) -> set[int]:
    """Ids of all projects in which the person is a member."""
    return set(Membership.objects.filter(user_id=user_id or 0).values_list("project_id", flat=True))


def project_view(
    role: Role,
) -> Callable[[Callable[Concatenate[HttpRequest, Access, P], R]], Callable[..., R]]:
    """Decorator: resolves `slug` through access_project and hands the view an Access instead."""

    def decorate(view: Callable[Concatenate[HttpRequest, Access, P], R]) -> Callable[..., R]:
        @wraps(view)
        def guarded(request: HttpRequest, slug: str, *args: P.args, **kwargs: P.kwargs) -> R:
            return view(request, access_project(request.user.pk, slug, role), *args, **kwargs)

        return guarded

    return decorate
