"""Forms of uploads: the file, how it is read, what its columns mean."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.datasets.models import Dataset, GoldUse, UploadMode
from labeling.datasets.queries import current_datasets
from labeling.datasets.readers.dialect import DELIMITERS
from labeling.datasets.readers.parts import Columns, Reading
from labeling.datasets.readers.preview import Preview
from labeling.datasets.readers.sniff import ENCODINGS
from labeling.projects.models import Project

FORMATS = [("csv", "CSV"), ("jsonl", "JSONL")]
DELIMITER_NAMES = dict(
    zip(
        DELIMITERS,
        (gettext_lazy("Comma"), gettext_lazy("Semicolon"), gettext_lazy("Tab"), gettext_lazy("Vertical bar")),
        strict=True,
    )
)
NAMED_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
DELIMITER_OF = {name: char for char, name in NAMED_DELIMITERS.items()}


class UploadForm(forms.Form):
    """One file."""

    file = forms.FileField(label=gettext_lazy("File"))


class ReadingForm(forms.Form):
    """How the file is written."""

    format = forms.ChoiceField(label=gettext_lazy("Format"), choices=FORMATS)
    encoding = forms.ChoiceField(label=gettext_lazy("Encoding"), choices=list(ENCODINGS.items()))
    delimiter = forms.ChoiceField(
        label=gettext_lazy("Cells end with"),
        choices=[(NAMED_DELIMITERS[char], name) for char, name in DELIMITER_NAMES.items()],
    )

    def reading(self) -> Reading:
        """The choice; call when valid."""
        data = self.cleaned_data
        return Reading(data["format"], data["encoding"], DELIMITER_OF[data["delimiter"]])


def reading_data(reading: Reading) -> dict[str, str]:
    """The form's data for a reading."""
    delimiter = NAMED_DELIMITERS.get(reading.delimiter, "comma")
    return {"format": reading.format, "encoding": reading.encoding, "delimiter": delimiter}


class ImportForm(forms.Form):
    """Where the rows go and what the columns mean. `goal` is new, append:NUMBER or replace:NUMBER."""

    goal = forms.ChoiceField(label=gettext_lazy("Import as"))
    name = forms.CharField(label=gettext_lazy("Name of the data set"), max_length=200, required=False)
    text_column = forms.ChoiceField(label=gettext_lazy("Text to label"))
    id_column = forms.ChoiceField(
        label=gettext_lazy("Row id"),
        required=False,
        help_text=gettext_lazy("Rows with an id that is there already are not imported twice."),
    )
    gold_column = forms.ChoiceField(
        label=gettext_lazy("Gold labels"),
        required=False,
        help_text=gettext_lazy("A column in which the right answer stands already."),
    )
    gold_use = forms.ChoiceField(
        label=gettext_lazy("What to do with gold labels"),
        choices=GoldUse.choices,
        widget=forms.RadioSelect,
        initial=GoldUse.KEEP,
        required=False,
    )
    is_creating_classes = forms.BooleanField(
        label=gettext_lazy("Make a class for every gold label that is none yet (at most 50)"), required=False
    )
    is_guarded = forms.BooleanField(
        label=gettext_lazy("Undo the quoting of formulas: this file is an export of AutoAnnotator"), required=False
    )

    def __init__(self, data: Any = None, *, project: Project, preview: Preview, goal: str, name: str) -> None:
        self.targets = {str(dataset.number): dataset for dataset in current_datasets(project)}
        guess = preview.guess
        initial = {"goal": goal, "name": name, "text_column": guess.text, "id_column": guess.id}
        initial["gold_column"] = guess.gold
        super().__init__(data, initial=initial | {"is_guarded": guess.is_guarded})
        columns = [(column, column) for column in preview.columns if column]
        self._choices("goal", _goals(self.targets))
        self._choices("text_column", columns)
        self._choices("id_column", [("", _("None")), *columns])
        self._choices("gold_column", [("", _("None")), *columns])
        if not guess.is_guarded:
            del self.fields["is_guarded"]

    def _choices(self, field: str, choices: list[tuple[str, str]]) -> None:
        chosen = self.fields[field]
        assert isinstance(chosen, forms.ChoiceField)  # noqa: S101 (narrows the type)
        chosen.choices = choices

    def columns(self) -> Columns:
        """The choice; call when valid."""
        data = self.cleaned_data
        return Columns(data["text_column"], data["id_column"], data["gold_column"], data.get("is_guarded", False))

    def goal_of(self) -> tuple[UploadMode, Dataset | None]:
        """The mode and its target; call when valid."""
        mode, _colon, number = self.cleaned_data["goal"].partition(":")
        return UploadMode(mode), self.targets.get(number)


def _goals(targets: dict[str, Dataset]) -> list[tuple[str, str]]:
    goals = [("new", _("A new data set"))]
    for number, dataset in targets.items():
        goals.append((f"append:{number}", _("More rows for “%(name)s”") % {"name": dataset.name}))
        goals.append((f"replace:{number}", _("In place of “%(name)s”") % {"name": dataset.name}))
    return goals
