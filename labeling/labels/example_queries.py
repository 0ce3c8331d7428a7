"""Reads of what a question to a language model may show: texts that people verified, and the specialists' votes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import F

from annotator_core.verifiers.contract import ShownVote
from labeling.labels.answer_queries import TextToAsk
from labeling.labels.chunk_queries import PARAMETERS, PERSON_SOURCES
from labeling.labels.models import Label, Vote
from labeling.projects.models import Project
from labeling.runs.models import Run
from labeling.runs.policies import MOST_EXAMPLES
from labeling.runs.queries import members_of


@dataclass(frozen=True, slots=True)
class ExampleRow:
    """A text with the class that a person gave it, or that it was imported with as verified."""

    text: str
    label: str
    text_hash: str


def newest_label_id() -> int:
    """The id up to which labels are there now; 0 for none."""
    return Label.objects.order_by("-id").values_list("id", flat=True).first() or 0


def example_rows(project: Project, class_ids: Collection[int], *, until: int) -> list[ExampleRow]:
    """The newest verified texts of the project with one of the classes, by labels up to the id `until`.

    Texts of a data set's own audit frame are left out; one that another data set frames is for the caller.
    """
    labels = Label.objects.filter(pk__lte=until, is_current=True, source__in=PERSON_SOURCES)
    here = labels.filter(sample__dataset__project=project, sample__dataset__archived_at=None)
    here = here.filter(label_class__in=list(class_ids), sample__text_hash__gt=F("sample__dataset__frame_until"))
    fields = ("sample__text", "label_class__name", "sample__text_hash")
    return [ExampleRow(*row) for row in here.order_by("-id").values_list(*fields)[:MOST_EXAMPLES]]


def shown_votes(run: Run, texts: Sequence[TextToAsk]) -> dict[int, list[ShownVote]]:
    """What each specialist of a text's pool said of it, by its sample, in the order of the pool."""
    found: dict[int, list[ShownVote]] = {}
    for generation in sorted({one.generation for one in texts}):
        sample_ids = [one.sample_id for one in texts if one.generation == generation]
        for member in members_of(run, generation):
            votes = _votes(member.version_id, sample_ids)
            for sample_id in sample_ids:
                label, probability = votes.get(sample_id, (None, None))
                shown = ShownVote(member.version.specialist.name, label, probability)
                found.setdefault(sample_id, []).append(shown)
    return found


def _votes(version_id: int, sample_ids: Sequence[int]) -> dict[int, tuple[str | None, float | None]]:
    """(class name, probability) by sample; both None where the specialist abstained."""
    found: dict[int, tuple[str | None, float | None]] = {}
    for low in range(0, len(sample_ids), PARAMETERS):
        part = Vote.objects.filter(version=version_id, sample_id__in=sample_ids[low : low + PARAMETERS])
        for sample_id, name, top in part.values_list("sample_id", "label_class__name", "top_probability"):
            found[sample_id] = name, top
    return found
