"""Reads about a person's preferences."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from labeling.projects.models import LabelClass
from labeling.review.keymap import Keymap, keymap_beside
from labeling.review.models import Preferences


@dataclass(frozen=True, slots=True)
class ScreenPreferences:
    """What the review screen needs of them: keys by action name (for json_script), and whether answers go on."""

    keymap: Keymap
    is_auto_advancing: bool


def screen_preferences(user_id: int, class_keys: Collection[str]) -> ScreenPreferences:
    """The person's preferences beside the classes' keys: one statement."""
    stored = preferences_of(user_id)
    return ScreenPreferences(keymap_beside(stored.keys, class_keys), stored.is_auto_advancing)


def preferences_of(user_id: int) -> Preferences:
    """The person's own row; one with the defaults, not stored, where there is none."""
    return Preferences.objects.filter(user_id=user_id).first() or Preferences(user_id=user_id)


def own_keys(stored: object) -> dict[str, str]:
    """The stored keys by action as the form shows them; what is no text is not there."""
    found = stored if isinstance(stored, Mapping) else {}
    return {name: key for name, key in found.items() if isinstance(name, str) and isinstance(key, str)}


def classes_with_keys(user_id: int, keys: Collection[str]) -> list[LabelClass]:
    """The classes in the person's projects that have one of the keys, with their projects."""
    mine = LabelClass.objects.filter(project__memberships__user=user_id, is_retired=False, key__in=list(keys))
    return list(mine.select_related("project").order_by("project_id", "position"))
