"""What a pilot asks: how many rows, whom, how, and for how much at most."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.datasets.models import Dataset
from labeling.llm.queries import connections_of
from labeling.projects.models import Project
from labeling.runs.asking_form import AskFields
from labeling.runs.pilots.actions import MOST_ROWS, USUAL_ROWS
from labeling.runs.policies import MOST_DRAWS
from labeling.runs.queries import ready_datasets
from labeling.web.wording import NANO

TAKEN_OVER = ("dataset", "rows", "ask_strategy", "draws", "shows_votes", "cap")
"""What the page's address may say; models are named as a plan's are (runs.proposal)."""


class PilotForm(AskFields):
    """Data set, models, how they are asked; money is in dollars."""

    dataset = forms.ModelChoiceField(queryset=Dataset.objects.none(), label=_("Data set"), empty_label=None)
    rows = forms.IntegerField(
        label=_("Rows to ask about"),
        min_value=1,
        max_value=MOST_ROWS,
        initial=USUAL_ROWS,
        help_text=_(
            "Hard ones where specialists have voted, those with a known class first, never any of an audit. From fifty"
            " with a known class on, the forecast goes by how right the model is."
        ),
    )
    cap = forms.DecimalField(
        label=_("May cost at most, in US dollars"),
        min_value=Decimal(0),
        max_value=Decimal(10_000),
        max_digits=9,
        decimal_places=4,
        required=False,
        widget=forms.NumberInput(attrs={"step": "any"}),
        help_text=_("Empty: the worst case above."),
    )

    def __init__(self, data: Mapping[str, Any] | None, *, project: Project, proposed: Mapping[str, Any]) -> None:
        super().__init__(data)
        for name in ("answer_use", "sure_from"):
            del self.fields[name]
        self.fields["ask_strategy"].help_text = _(
            "A run that asks in the same way asks nothing again. Examples change as people decide more, and the"
            " guideline is part of the question: then the run asks anew."
        )
        draws = cast(forms.IntegerField, self.fields["draws"])
        draws.widget.attrs |= {"min": 1, "max": MOST_DRAWS}
        connections = list(connections_of(project))
        self.offer(connections)
        cast("forms.ModelChoiceField[Dataset]", self.fields["dataset"]).queryset = ready_datasets(project).filter(
            row_count__gt=0
        )
        for name in TAKEN_OVER:
            if name in proposed:
                self.fields[name].initial = proposed[name]
        wanted = str(proposed.get("verifier", "")).split(",")
        if chosen := [pk for pk in self.connections if pk in wanted]:
            self.fields["verifiers"].initial = chosen
        if self.fields["dataset"].initial is None:
            self.fields["dataset"].initial = ready_datasets(project).filter(row_count__gt=0).first()

    def clean_verifiers(self) -> list[str]:
        """At least one model is asked."""
        chosen: list[str] = self.cleaned_data["verifiers"]
        if not chosen:
            raise forms.ValidationError(_("Choose at least one model."))
        return chosen

    def cap_nano(self, worst_nano: int) -> int:
        """The limit in nano-dollars: what was said, else the worst case. Call when valid."""
        cap = self.cleaned_data["cap"]
        return worst_nano if cap is None else int(cap * NANO)
