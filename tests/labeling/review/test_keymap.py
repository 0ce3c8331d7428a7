"""Keys of the review screen (C19, S09)."""

import pytest

from labeling.projects.keys import CLASS_KEYS
from labeling.review.keymap import ACTION_LABELS, DEFAULT_KEYS, Action, clean_keys, keymap_beside
from labeling.web.errors import ActionError

DEFAULTS = {
    "undo": ["u", "Backspace"],
    "skip": ["s"],
    "flag": ["f"],
    "comment": ["c"],
    "guideline": ["g"],
    "votes": ["v"],
    "filter": ["/"],
    "help": ["?"],
}


def test_every_action_has_a_label_and_a_default_that_no_class_may_have():
    assert set(ACTION_LABELS) == set(DEFAULT_KEYS) == set(Action)
    assert [key for key in DEFAULT_KEYS.values() if key in CLASS_KEYS] == []
    assert len(set(DEFAULT_KEYS.values())) == len(DEFAULT_KEYS)


def test_the_defaults_hold_without_keys_of_ones_own():
    assert keymap_beside({}, CLASS_KEYS) == DEFAULTS


def test_only_what_differs_is_kept():
    assert clean_keys({"skip": "X", "undo": "u", "flag": " "}) == {"skip": "x"}


def test_two_actions_may_change_keys():
    kept = clean_keys({"skip": "u", "undo": "s"})
    assert kept == {"undo": "s", "skip": "u"}
    assert keymap_beside(kept, "") == DEFAULTS | {"undo": ["s", "Backspace"], "skip": ["u"]}


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"skip": "u"}, "skip"),
        ({"skip": "x", "flag": "x"}, "flag"),
        ({"skip": "1"}, "skip"),
        ({"skip": "Enter"}, "skip"),
        ({"skip": "Backspace"}, "skip"),
        ({"skip": "xy"}, "skip"),
        ({"skip": "<"}, "skip"),
        ({"skip": "ы"}, "skip"),
        ({"skip": ["x"]}, "skip"),
        ({"skip": {"key": "x"}}, "skip"),
        ({"skip": 1}, "skip"),
        ({"__proto__": "x"}, ""),
        ({"delete_all": "x"}, ""),
        (["skip"], ""),
        ("skip", ""),
        (None, ""),
    ],
)
def test_c19_s09_what_is_no_key_or_a_clash_is_refused(sent, field):
    with pytest.raises(ActionError) as refused:
        clean_keys(sent)
    assert (refused.value.field or "") == field


def test_c19_a_class_keeps_its_key_and_the_action_has_its_default_again():
    assert keymap_beside({"skip": "x"}, "x") == DEFAULTS
    assert keymap_beside({"skip": "x"}, "y") == DEFAULTS | {"skip": ["x"]}


def test_c19_no_key_stands_twice_when_a_class_takes_one_of_two_that_changed_places():
    keys = keymap_beside({"undo": "s", "skip": "x"}, "x")
    assert keys == DEFAULTS | {"undo": ["s", "Backspace"], "skip": ["u"]}


@pytest.mark.parametrize(
    "stored",
    [None, [], "x", {"skip": "<script>"}, {"skip": None}, {"skip": ["x"]}, {"nothing": "x"}, {"skip": {"a": 1}}],
)
def test_s09_what_is_stored_is_not_trusted_either(stored):
    assert keymap_beside(stored, "") == DEFAULTS
