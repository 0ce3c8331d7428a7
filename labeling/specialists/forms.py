"""Forms about specialists."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.projects.models import LabelClass
from labeling.specialists.models import Specialist

ABSTAIN_CHOICE = "abstain"


class HubForm(forms.Form):
    """A model on the hub."""

    location = forms.CharField(label=_("Model id"), max_length=200, help_text=_("As on the hub: owner/model."))
    revision = forms.CharField(
        label=_("Revision"),
        max_length=64,
        required=False,
        help_text=_("A branch, tag or commit. Empty: the newest; it is pinned."),
    )
    name = forms.CharField(label=_("Name here"), max_length=120, required=False)


class FolderForm(forms.Form):
    """A model in a folder on the server."""

    location = forms.CharField(label=_("Folder on the server"), max_length=500)
    name = forms.CharField(label=_("Name here"), max_length=120, required=False)


class LabelMapForm(forms.Form):
    """What each label of the model means here: one choice a label, nothing preset that nobody could know."""

    max_length = forms.IntegerField(
        label=_("Tokens read of a text"), min_value=8, max_value=8192, help_text=_("Longer texts are cut, and counted.")
    )
    are_holes_confirmed = forms.BooleanField(
        label=_("A class without any label of the model is fine: it never votes for it"), required=False
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        specialist: Specialist,
        classes: list[LabelClass],
        proposed: list[int | str | None],
    ) -> None:
        super().__init__(data, initial={"max_length": specialist.max_length})
        choices = [
            ("", _("Choose…")),
            *[(str(c.pk), c.name) for c in classes],
            (ABSTAIN_CHOICE, _("none of them: abstain")),
        ]
        self.label_names = [f"label_{index}" for index in range(len(specialist.model_labels))]
        for name, model_label, target in zip(self.label_names, specialist.model_labels, proposed, strict=True):
            initial = "" if target is None else str(target)
            self.fields[name] = forms.ChoiceField(label=model_label, choices=choices, initial=initial)

    def targets(self) -> list[int | None]:
        """For each model label a class id, or None to abstain."""
        chosen = [self.cleaned_data[name] for name in self.label_names]
        return [None if value == ABSTAIN_CHOICE else int(value) for value in chosen]

    def label_fields(self) -> list[forms.BoundField]:
        """The choices, in the model's order."""
        return [self[name] for name in self.label_names]
