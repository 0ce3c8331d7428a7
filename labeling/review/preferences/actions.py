"""Writes of a person's own preferences: who asks is whose row it is, no other row is ever named (S09)."""

from django.utils.translation import gettext as _

from labeling.review.keymap import clean_keys
from labeling.review.models import Preferences
from labeling.review.preferences.queries import classes_with_keys
from labeling.web.errors import ActionError


def save_keys(*, user_id: int, keys: object) -> None:
    """Keep the person's own keys by action; those equal to the defaults are not stored.

    Raises ActionError (field: the action) for what is no key, for two actions with one key, and for the key of a class
    in one of the person's projects (C19). A class that gets such a key later wins it: keymap.keymap_beside.
    """
    chosen = clean_keys(keys)
    taken = classes_with_keys(user_id, chosen.values())
    for action, key in chosen.items():
        owner = next((one for one in taken if one.key == key), None)
        if owner is not None:
            said = {"key": key, "name": owner.name, "project": owner.project.name}
            message = _("“%(key)s” is the key of the class “%(name)s” in “%(project)s”. Choose another.") % said
            raise ActionError(message, field=action)
    Preferences.objects.update_or_create(user_id=user_id, defaults={"keys": chosen})


def set_auto_advancing(*, user_id: int, is_on: bool) -> None:
    """Whether a class's key decides at once, or chooses only and Enter decides."""
    Preferences.objects.update_or_create(user_id=user_id, defaults={"is_auto_advancing": is_on})
