"""What a search of the hub is asked."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.llm.models import Connection
from labeling.llm.queries import connections_of
from labeling.projects.models import Project
from labeling.projects.queries import guideline_text
from labeling.specialists.search.actions import Wanted

MB = 1_000_000
NANO = 1_000_000_000
PREFILLED_CHARS = 1_000


class SearchForm(forms.Form):
    """The task in words, how many models to try, and whether a language model helps."""

    description = forms.CharField(
        label=gettext_lazy("The task"),
        max_length=4_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("What the texts are and what is to be told apart, as you would say it to a colleague."),
    )
    count = forms.IntegerField(
        label=gettext_lazy("Models to try"),
        min_value=2,
        max_value=10,
        initial=6,
        help_text=gettext_lazy("Each is fetched and asked about random rows; three are recommended in the end."),
    )
    max_mb = forms.IntegerField(label=gettext_lazy("Largest size of a model, in MB"), min_value=1, initial=1_500)
    connection = forms.ModelChoiceField(
        queryset=Connection.objects.none(),
        label=gettext_lazy("Language model"),
        required=False,
        empty_label=gettext_lazy("none: keywords and shared words"),
        help_text=gettext_lazy("Writes the search words from the task and five of its texts, and judges the cards."),
    )
    cap = forms.DecimalField(
        label=gettext_lazy("It may cost at most, in US dollars"),
        min_value=Decimal(0),
        max_value=Decimal(1_000),
        max_digits=9,
        decimal_places=4,
        initial=Decimal("0.50"),
        required=False,
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, project: Project) -> None:
        super().__init__(data, initial={"description": task_words(project)})
        connections = connections_of(project)
        cast("forms.ModelChoiceField[Connection]", self.fields["connection"]).queryset = connections
        self.has_connections = connections.exists()
        if not self.has_connections:
            del self.fields["connection"], self.fields["cap"]

    def clean(self) -> dict[str, Any]:
        """Hold the size below the installation's limit, and ask for a cap where money may be spent."""
        data = super().clean() or {}
        most = settings.MODEL_MAX_BYTES // MB
        if (data.get("max_mb") or 0) > most:
            self.add_error("max_mb", _("This installation takes models up to %(most)d MB.") % {"most": most})
        if data.get("connection") and not self.errors and not data.get("cap"):
            self.add_error("cap", _("Say what it may cost at most."))
        return data

    def wanted(self) -> Wanted:
        """What the valid form asks for."""
        data = self.cleaned_data
        return Wanted(
            description=data["description"],
            count=data["count"],
            max_bytes=data["max_mb"] * MB,
            connection=data.get("connection"),
            cap_nano=int((data.get("cap") or 0) * NANO),
        )


def task_words(project: Project) -> str:
    """What the project says about its task: its description, else the beginning of its guideline, else its name."""
    lines = [line for line in guideline_text(project).splitlines() if not line.startswith("#")]
    guideline = " ".join(" ".join(lines).replace("*", " ").split())
    return (project.description.strip() or guideline or project.name)[:PREFILLED_CHARS]
