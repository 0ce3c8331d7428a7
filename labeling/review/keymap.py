"""Keys of the review screen's actions: defaults, a person's own, and which one holds beside a project's classes."""

import string
from collections.abc import Collection, Mapping
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.web.errors import ActionError

Keymap = dict[str, list[str]]


class Action(StrEnum):
    """What a key does on the review screen and the desk, by the name that pages and stored rows use."""

    UNDO = "undo"
    SKIP = "skip"
    FLAG = "flag"
    COMMENT = "comment"
    GUIDELINE = "guideline"
    VOTES = "votes"
    FILTER = "filter"
    HELP = "help"


DEFAULT_KEYS: dict[Action, str] = {
    Action.UNDO: "u",
    Action.SKIP: "s",
    Action.FLAG: "f",
    Action.COMMENT: "c",
    Action.GUIDELINE: "g",
    Action.VOTES: "v",
    Action.FILTER: "/",
    Action.HELP: "?",
}
ACTION_LABELS: dict[Action, "str | Promise"] = {
    Action.UNDO: gettext_lazy("Undo"),
    Action.SKIP: gettext_lazy("Skip"),
    Action.FLAG: gettext_lazy("Flag for a reviewer"),
    Action.COMMENT: gettext_lazy("Comment"),
    Action.GUIDELINE: gettext_lazy("Guideline"),
    Action.VOTES: gettext_lazy("Show the votes"),
    Action.FILTER: gettext_lazy("Find a class by its name"),
    Action.HELP: gettext_lazy("All keys"),
}
# Always there and nobody's to give away: an undo that every keyboard has. Enter, Escape, Tab, Space: the browser's.
FIXED_KEYS: dict[Action, str] = {Action.UNDO: "Backspace"}
NAMED_KEYS = ("ArrowLeft", "ArrowRight", "Delete")
# Digits are the classes' alone; quotes, angles and "&" are left out as nobody misses them there.
OWN_KEYS = (*string.ascii_lowercase, *",.;:!?-_=+/\\[]()#*", *NAMED_KEYS)


def clean_keys(sent: object) -> dict[str, str]:
    """The person's own keys by action, those that differ from the defaults. Raises ActionError (field: the action).

    `sent` is not trusted: a mapping of known action names to one allowed key each, all keys different.
    """
    if not isinstance(sent, Mapping) or not set(sent) <= set(Action):
        raise ActionError(_("These are no keys of the review screen."))
    chosen: dict[Action, str] = {}
    for action in Action:
        key = _clean_key(sent.get(action, ""), action) or DEFAULT_KEYS[action]
        other = next((one for one, its in chosen.items() if its == key), None)
        if other is not None:
            said = {"key": key, "action": ACTION_LABELS[other]}
            raise ActionError(_("“%(key)s” is the key of “%(action)s” already.") % said, field=action)
        chosen[action] = key
    return {action.value: key for action, key in chosen.items() if key != DEFAULT_KEYS[action]}


def keymap_beside(own: object, class_keys: Collection[str]) -> Keymap:
    """Keys by action for one project: the person's own; a class's key wins, the action then has a default key again.

    `own` is what is stored: anything in it that is not allowed counts as not there. No key stands twice.
    """
    stored = own if isinstance(own, Mapping) else {}
    held: dict[Action, str] = {}
    for action in Action:
        key = stored.get(action) or DEFAULT_KEYS[action]
        if isinstance(key, str) and key in OWN_KEYS and key not in class_keys and key not in held.values():
            held[action] = key
    for action in Action:
        if action not in held:  # there are as many defaults as actions, and no class has one: one is always free
            free = [DEFAULT_KEYS[action], *DEFAULT_KEYS.values()]
            held[action] = next(key for key in free if key not in held.values())
    fixed = {action: [key] for action, key in FIXED_KEYS.items()}
    return {action.value: [held[action], *fixed.get(action, [])] for action in Action}


def _clean_key(sent: object, action: Action) -> str:
    """The key, lower case if it is a letter; "" for the default. Raises ActionError."""
    if not isinstance(sent, str):
        raise ActionError(_("These are no keys of the review screen."), field=action)
    key = sent.strip()
    key = key.lower() if len(key) == 1 else key
    if key and key not in OWN_KEYS:
        raise ActionError(_("A key is one letter, a sign, Delete, or an arrow left or right; no digit."), field=action)
    return key
