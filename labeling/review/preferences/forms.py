"""The form of a person's keys."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from labeling.review.keymap import ACTION_LABELS, DEFAULT_KEYS, NAMED_KEYS, Action


class KeysForm(forms.Form):
    """A field an action, named like it. An empty one means the default; a script types the key that is pressed."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, initial: Mapping[str, str] | None = None) -> None:
        super().__init__(data, initial=dict(initial or {}), auto_id="key-%s")
        longest = max(map(len, NAMED_KEYS))
        for action in Action:
            attrs = {"class": "key-own", "autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
            attrs |= {"placeholder": DEFAULT_KEYS[action], "data-own-key": ""}
            self.fields[action.value] = forms.CharField(
                label=str(ACTION_LABELS[action]),
                required=False,
                max_length=longest,
                widget=forms.TextInput(attrs=attrs),
            )


class AutoAdvanceForm(forms.Form):
    """The switch for going on by itself."""

    is_auto_advancing = forms.BooleanField(
        label=gettext_lazy("A class's key decides and shows the next text at once"),
        help_text=gettext_lazy("Off: the key only chooses, and Enter decides."),
        required=False,
    )
