"""Writes about projects and their guidelines."""

from collections.abc import Sequence
from dataclasses import replace

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from labeling.accounts.models import User
from labeling.projects.actions.classes import ClassSpec, create_class
from labeling.projects.actions.text import check_signs, clean_name
from labeling.projects.keys import free_key
from labeling.projects.models import GuidelineVersion, Membership, Project, Role
from labeling.projects.queries import guideline_text
from labeling.web.errors import ActionError

GUIDELINE_LIMIT = 100_000


def create_project(
    *,
    owner: User,
    name: str,
    description: str = "",
    classes: Sequence[ClassSpec] = (),
    guideline: str = "",
    slug: str = "",
) -> Project:
    """A project of its own with `owner` as its owner, whole or not at all. Raises ActionError."""
    name = clean_name(name, limit=120)
    check_signs(description, field="description")
    with transaction.atomic():
        project = Project.objects.create(
            slug=_free_slug(slug or name), name=name, description=description.strip(), created_by=owner
        )
        Membership.objects.create(project=project, user=owner, role=Role.OWNER)
        for spec in with_keys(classes):
            _add_class(project, spec)
        save_guideline(project=project, text=guideline, user=owner)
    return project


def with_keys(classes: Sequence[ClassSpec]) -> list[ClassSpec]:
    """The specs with keys for all: what was asked for comes before what is given out."""
    taken = {spec.key.lower() for spec in classes if spec.key}
    given = []
    for spec in classes:
        key = spec.key or free_key(taken)
        taken.add(key)
        given.append(replace(spec, key=key))
    return given


def _add_class(project: Project, spec: ClassSpec) -> None:
    try:
        create_class(project=project, name=spec.name, description=spec.description, key=spec.key, slot=spec.slot)
    except ActionError as error:
        raise ActionError(f"{spec.name}: {error.message}", field="classes") from error


def _free_slug(name: str) -> str:
    """A slug that no project has: from the name, numbered when taken."""
    base = slugify(name)[:50].strip("-") or "project"
    taken = set(Project.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    if base not in taken:
        return base
    return next(slug for number in range(2, len(taken) + 3) if (slug := f"{base}-{number}") not in taken)


def edit_project(*, project: Project, name: str, description: str) -> None:
    """Give the project a name and description; its address stays. Raises ActionError."""
    check_signs(description, field="description")
    project.name, project.description = clean_name(name, limit=120), description.strip()
    project.save(update_fields=["name", "description"])


def save_guideline(*, project: Project, text: str, user: User | None) -> bool:
    """Store the guideline as a new version when it differs from the current one; whether it did. Raises ActionError."""
    text = text.replace("\r\n", "\n").strip()
    check_signs(text, field="guideline")
    if len(text) > GUIDELINE_LIMIT:
        raise ActionError(
            _("The guideline is longer than %(limit)d characters. Shorten it.") % {"limit": GUIDELINE_LIMIT},
            field="guideline",
        )
    if text == guideline_text(project):
        return False
    GuidelineVersion.objects.create(project=project, text=text, created_by=user)
    return True
