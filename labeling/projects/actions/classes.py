"""Writes about label classes. Every write locks the project, so that keys, names and places stay unique."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from labeling.projects.actions.text import check_signs, clean_name
from labeling.projects.keys import CLASS_KEYS, RESERVED_KEYS, free_key, free_slot
from labeling.projects.models import PALETTE_SLOTS, LabelClass, Project
from labeling.web.errors import ActionError

NAME_LIMIT = 100
DESCRIPTION_LIMIT = 500
CLASS_LIMIT = 1_000


@dataclass(frozen=True, slots=True)
class ClassSpec:
    """A class to be made. Without a key or slot (0-23) it gets the first free one; key "" means none."""

    name: str
    description: str = ""
    key: str | None = None
    slot: int | None = None


@transaction.atomic
def create_class(
    *, project: Project, name: str, description: str = "", key: str | None = None, slot: int | None = None
) -> LabelClass:
    """A new last class of the project with a key and a colour that stay its own. Raises ActionError."""
    others = _lock_classes(project)
    if len(others) >= CLASS_LIMIT:
        raise ActionError(_("A project has at most %(limit)d classes.") % {"limit": CLASS_LIMIT}, field="classes")
    made = LabelClass(project=project, name=_free_name(name, others), description=_description(description))
    made.key = _next_key(others) if key is None else _checked_key(key, others)
    made.slot = free_slot([c.slot for c in others]) if slot is None else _checked_slot(slot)
    made.position = (LabelClass.objects.filter(project=project).aggregate(last=Max("position"))["last"] or 0) + 1
    made.save()
    return made


def rename_class(*, label_class: LabelClass, name: str) -> LabelClass:
    """Give the class another name; votes, labels and label maps keep to the class itself. Raises ActionError."""
    return edit_class(label_class=label_class, name=name)


@transaction.atomic
def edit_class(
    *,
    label_class: LabelClass,
    name: str | None = None,
    description: str | None = None,
    key: str | None = None,
    slot: int | None = None,
) -> LabelClass:
    """Change what is given, leave what is None. Raises ActionError when the name or key is another class's."""
    others = [other for other in _lock_classes(label_class.project) if other.pk != label_class.pk]
    label_class.refresh_from_db()
    if name is not None:
        label_class.name = _free_name(name, others)
    if description is not None:
        label_class.description = _description(description)
    if key is not None and key != label_class.key:
        label_class.key = _checked_key(key, others)
    if slot is not None:
        label_class.slot = _checked_slot(slot)
    label_class.save()
    return label_class


@transaction.atomic
def retire_class(*, label_class: LabelClass) -> None:
    """Offer the class no more; labels that have it keep it. Raises ActionError when fewer than two would be left."""
    left = [c for c in _lock_classes(label_class.project) if not c.is_retired and c.pk != label_class.pk]
    if len(left) < 2:
        raise ActionError(_("A project needs two classes. Add another one before you retire this one."))
    LabelClass.objects.filter(pk=label_class.pk).update(is_retired=True)


@transaction.atomic
def restore_class(*, label_class: LabelClass) -> LabelClass:
    """Offer a retired class again, with its own key, or with a free one when another class has taken it."""
    others = [c for c in _lock_classes(label_class.project) if c.pk != label_class.pk]
    label_class.refresh_from_db()
    taken = {c.key for c in others if not c.is_retired}
    if not label_class.key or label_class.key in taken:
        label_class.key = free_key(taken)
    label_class.is_retired = False
    label_class.save()
    return label_class


@transaction.atomic
def move_class(*, label_class: LabelClass, step: int) -> None:
    """Move a class `step` places down its list (up when negative). Keys and colours stay with their classes."""
    ids = [c.pk for c in _lock_classes(label_class.project) if not c.is_retired]
    if label_class.pk not in ids:
        return
    place = max(0, min(len(ids) - 1, ids.index(label_class.pk) + step))
    ids.remove(label_class.pk)
    ids.insert(place, label_class.pk)
    reorder_classes(project=label_class.project, ids=ids)


@transaction.atomic
def reorder_classes(*, project: Project, ids: Sequence[int]) -> None:
    """Show the active classes in the order of `ids`, retired ones last. Raises ActionError when one is missing."""
    found = _lock_classes(project)
    active = {c.pk for c in found if not c.is_retired}
    if len(ids) != len(active) or set(ids) != active:
        raise ActionError(_("The classes have changed meanwhile. Load the page again."))
    retired = [c.pk for c in found if c.is_retired]
    for position, pk in enumerate([*ids, *retired], start=1):
        LabelClass.objects.filter(pk=pk).update(position=position)


def _lock_classes(project: Project) -> list[LabelClass]:
    """All classes of the project, with the project's row locked until the transaction ends."""
    Project.objects.select_for_update().get(pk=project.pk)
    return list(LabelClass.objects.filter(project=project))


def _free_name(name: str, others: Sequence[LabelClass]) -> str:
    """The name, cleaned. Names that differ by case only are the same to people and to label maps."""
    name = clean_name(name, limit=NAME_LIMIT)
    same = next((c for c in others if c.name.casefold() == name.casefold()), None)
    if same is None:
        return name
    if same.is_retired:
        raise ActionError(_("There is a retired class “%(name)s”. Restore it.") % {"name": same.name}, field="name")
    raise ActionError(_("There is a class “%(name)s” already.") % {"name": same.name}, field="name")


def _description(text: str) -> str:
    check_signs(text, field="description")
    text = " ".join(text.split())
    if len(text) > DESCRIPTION_LIMIT:
        raise ActionError(
            _("A description has at most %(limit)d characters.") % {"limit": DESCRIPTION_LIMIT}, field="description"
        )
    return text


def _checked_key(key: str, others: Sequence[LabelClass]) -> str:
    """The key, lower case; that of a retired class may be taken. Raises ActionError."""
    key = key.strip().lower()
    if not key:
        return ""
    if key in RESERVED_KEYS:
        raise ActionError(
            _("“%(key)s” is a key of the review screen. These are: u s f c g v ?") % {"key": key}, field="key"
        )
    if key not in CLASS_KEYS or len(key) > 1:
        raise ActionError(_("A key is one digit from 1 to 9 or one letter from a to z."), field="key")
    owner = next((c for c in others if c.key == key and not c.is_retired), None)
    if owner:
        raise ActionError(_("The key “%(key)s” belongs to “%(name)s”.") % {"key": key, "name": owner.name}, field="key")
    return key


def _next_key(others: Sequence[LabelClass]) -> str:
    """A key nobody has learned yet; the key of a retired class only when no other is left."""
    return free_key({c.key for c in others}) or free_key({c.key for c in others if not c.is_retired})


def _checked_slot(slot: int) -> int:
    if not 0 <= slot < PALETTE_SLOTS:
        raise ActionError(_("There is no such colour."), field="slot")
    return slot
