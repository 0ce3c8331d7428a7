"""What the page of the first specialists asks for."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from labeling.datasets.models import Dataset
from labeling.projects.models import Project
from labeling.refinement.cold_start.queries import GoldSet, Material, possible_bases
from labeling.refinement.cold_start.recipes import Method
from labeling.runs.queries import ready_datasets
from labeling.web.wording import word_number

OTHER = "folder"


class DrawForm(forms.Form):
    """How many texts of which data set are put into the queue."""

    dataset = forms.ModelChoiceField(queryset=Dataset.objects.none(), label=gettext_lazy("Data set"), empty_label=None)
    count = forms.IntegerField(label=gettext_lazy("How many texts"), min_value=20, max_value=500, initial=100)

    def __init__(self, data: Mapping[str, Any] | None = None, *, project: Project) -> None:
        super().__init__(data)
        datasets = ready_datasets(project)
        cast("forms.ModelChoiceField[Dataset]", self.fields["dataset"]).queryset = datasets
        count = datasets.count()
        self.has_data = count > 0
        if count == 1:
            self.fields["dataset"].widget = forms.HiddenInput()
            self.fields["dataset"].initial = datasets.first()


class TrainForm(forms.Form):
    """What is learned from, and what is trained."""

    gold = forms.MultipleChoiceField(
        label=gettext_lazy("Learn from labels that came with the data, too"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    method = forms.ChoiceField(
        label=gettext_lazy("What is trained"),
        choices=[
            (Method.LINEAR, gettext_lazy("Small models that count words and characters: offline, in seconds")),
            (Method.ENCODER, gettext_lazy("A language model with a new head: learns from meaning, takes minutes")),
        ],
        widget=forms.RadioSelect,
        initial=Method.LINEAR,
    )
    base = forms.ChoiceField(label=gettext_lazy("Base model"), required=False)
    folder = forms.CharField(
        label=gettext_lazy("Folder on the server"),
        max_length=500,
        required=False,
        help_text=gettext_lazy("An encoder with config.json, tokenizer and safetensors weights."),
    )
    count = forms.IntegerField(
        label=gettext_lazy("How many specialists"),
        min_value=2,
        max_value=5,
        initial=3,
        help_text=gettext_lazy("They differ, so that their disagreement shows what is hard. Three work well."),
    )
    are_holes_confirmed = forms.BooleanField(
        label=gettext_lazy("A class without any labeled text is fine: they never vote for it"), required=False
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, project: Project, material: Material) -> None:
        super().__init__(data)
        sets = material.gold_sets
        gold, base = self.fields["gold"], self.fields["base"]
        self.gold_words = [gold_words(one) for one in sets]
        ids = [str(one.dataset.pk) for one in sets]
        cast(forms.MultipleChoiceField, gold).choices = list(zip(ids, self.gold_words, strict=True))
        gold.initial = ids
        self.bases = {str(one.pk): one for one in possible_bases(project)}
        named = [(pk, one.name) for pk, one in self.bases.items()]
        cast(forms.ChoiceField, base).choices = [*named, (OTHER, _("A folder on the server"))]
        if not sets:
            del self.fields["gold"]
        if not material.untold:
            del self.fields["are_holes_confirmed"]

    def clean(self) -> dict[str, Any]:
        """An encoder needs a base."""
        data = self.cleaned_data
        is_encoder = data.get("method") == Method.ENCODER
        if is_encoder and data.get("base") in ("", OTHER) and not data.get("folder", "").strip():
            self.add_error("folder", _("Name the folder of the base model."))
        return data

    @property
    def gold_ids(self) -> tuple[int, ...]:
        """The data sets whose gold column is learned from."""
        return tuple(int(pk) for pk in self.cleaned_data.get("gold", ()))


def gold_words(one: GoldSet) -> str:
    """A data set's gold column in words."""
    texts = ngettext("%(n)s text names a class", "%(n)s texts name a class", len(one.texts))
    words = {"data": one.dataset.name, "column": one.column, "texts": texts % {"n": word_number(len(one.texts))}}
    return _("%(data)s, column “%(column)s”: %(texts)s") % words
