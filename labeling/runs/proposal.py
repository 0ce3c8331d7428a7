"""What an address proposes for the plan of a run, as the forecast hands it over: known figures, nothing else (S02)."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator

from labeling.runs.models import AnswerUse, AskStrategy, Mode
from labeling.runs.policies import MOST_DRAWS

LARGEST = 2**31 - 1
IDS = RegexValidator(r"\A[1-9][0-9]{0,17}(,[1-9][0-9]{0,17}){0,19}\Z")


class ProposalForm(forms.Form):
    """Data set, mode, models, cap in dollars, how is asked, how many must agree, hard pool; each may be missing.

    `verifier` are ids with commas between them, `sure_from` is in percent.
    """

    dataset = forms.IntegerField(min_value=1, max_value=2**62, required=False)
    mode = forms.ChoiceField(choices=Mode.choices, required=False)
    verifier = forms.CharField(max_length=400, validators=[IDS], required=False)
    cap = forms.DecimalField(min_value=0, max_digits=12, decimal_places=2, required=False)
    answer_use = forms.ChoiceField(choices=AnswerUse.choices, required=False)
    ask_strategy = forms.ChoiceField(choices=AskStrategy.choices, required=False)
    draws = forms.IntegerField(min_value=1, max_value=MOST_DRAWS, required=False)
    shows_votes = forms.ChoiceField(choices=[("on", "on")], required=False)
    sure_from = forms.FloatField(min_value=0, max_value=100, required=False)
    min_agree = forms.IntegerField(min_value=1, max_value=1_000, required=False)
    beta = forms.IntegerField(min_value=1, max_value=LARGEST, required=False)

    def proposed(self) -> dict[str, Any]:
        """By name what was given and can be read."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}
