"""Forms about runs."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.datasets.models import Dataset
from labeling.projects.models import Project
from labeling.runs.policies import Policy
from labeling.runs.queries import ready_datasets, votable_versions
from labeling.specialists.models import SpecialistVersion


class RunForm(forms.Form):
    """The plan of a run: data set, pool, how many must agree, or a review budget."""

    dataset = forms.ModelChoiceField(queryset=Dataset.objects.none(), label=_("Data set"), empty_label=None)
    versions = forms.MultipleChoiceField(label=_("Specialists that vote"), widget=forms.CheckboxSelectMultiple)
    rule = forms.ChoiceField(
        label=_("A person decides"),
        choices=[
            ("agree", _("where too few specialists agree")),
            ("budget", _("the least certain rows, up to a budget")),
        ],
        widget=forms.RadioSelect,
        initial="agree",
    )
    min_agree = forms.IntegerField(
        label=_("How many must agree"),
        min_value=1,
        required=False,
        widget=forms.NumberInput(attrs={"placeholder": _("all")}),
        help_text=_("Leave it empty for all of them. Rows on which fewer agree wait for a person."),
    )
    review_budget = forms.FloatField(
        label=_("Review budget in percent"),
        min_value=0,
        max_value=100,
        required=False,
        widget=forms.NumberInput(attrs={"placeholder": "20"}),
        help_text=_("People see at most this share of all rows. The others keep the answer of the specialists."),
    )

    def __init__(self, data: Mapping[str, Any] | None, *, project: Project) -> None:
        super().__init__(data)
        self.available = {str(version.pk): version for version in votable_versions(project)}
        cast("forms.ModelChoiceField[Dataset]", self.fields["dataset"]).queryset = ready_datasets(project)
        cast(forms.MultipleChoiceField, self.fields["versions"]).choices = [
            (pk, str(version)) for pk, version in self.available.items()
        ]
        self.fields["versions"].initial = list(self.available)

    def clean(self) -> dict[str, Any]:
        """A budget must be given where it is the rule."""
        data = self.cleaned_data
        if data.get("rule") == "budget" and data.get("review_budget") is None and "review_budget" not in self.errors:
            self.add_error("review_budget", _("Say what share of the rows people may review."))
        return data

    def chosen_versions(self) -> list[SpecialistVersion]:
        """The pool in the order of the page."""
        return [self.available[pk] for pk in self.cleaned_data["versions"]]

    def policy(self) -> Policy:
        """How the run will route."""
        data = self.cleaned_data
        budget = data["review_budget"] if data["rule"] == "budget" else None
        return Policy(min_agree=data["min_agree"] or len(data["versions"]), review_budget=budget)
