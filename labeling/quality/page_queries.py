"""What the quality page reads: runs, audits, assessments and counters; never the rows of a data set."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max, QuerySet, Sum

from labeling.datasets.models import Sample
from labeling.jobs.models import OPEN_CHUNK_STATES, Job
from labeling.labels.audit_queries import blind_answers
from labeling.projects.models import Project
from labeling.quality.figures import Share
from labeling.quality.models import Assessment, Audit, AuditRow, Certificate
from labeling.runs.models import Run, RunState

RUNS_SHOWN = 12
HISTORY_SHOWN = 50  # chosen: more points than a small figure can tell apart


@dataclass(frozen=True, slots=True)
class Measured:
    """One assessment in the history: the accuracy of accepted and of all labels then."""

    number: int
    created_at: datetime
    answered: int
    accepted: Share
    overall: Share


def measurable_runs(project: Project) -> list[Run]:
    """Runs whose labels an audit can measure, newest first, with their data sets."""
    runs = Run.objects.filter(project=project, dataset__archived_at=None).exclude(state=RunState.CANCELLED)
    return list(runs.select_related("dataset")[:RUNS_SHOWN])


def is_at_work(job: Job) -> bool:
    """Whether the job measures or is about to: between two measurements it only waits for answers."""
    return job.chunks.filter(state__in=OPEN_CHUNK_STATES).exists()


def certificates_of(assessment: Assessment) -> QuerySet[Certificate]:
    """The assessment's certificates, the strictest last."""
    return Certificate.objects.filter(assessment=assessment).order_by("-target_error")


def history_of(run: Run) -> list[Measured]:
    """The run's newest assessments, oldest first; of their figures only the two that the history draws."""
    shares = ("figures__accepted", "figures__overall")
    rows = Assessment.objects.filter(run=run).values_list("number", "created_at", "answered", *shares)
    found = [
        Measured(number, at, answered, Share(**accepted), Share(**overall))
        for number, at, answered, accepted, overall in rows[:HISTORY_SHOWN]
    ]
    return found[::-1]


def class_names(project: Project) -> dict[int, str]:
    """The project's classes by id, retired ones too: an old assessment may speak of them."""
    return dict(project.classes.values_list("id", "name"))


@dataclass(frozen=True, slots=True)
class RunQuality:
    """A run's newest assessment as other pages tell of it; `unused_winner` won its race though another way was used."""

    generation: int
    answered: int
    overall: Share
    unused_winner: str


def qualities_of(runs: list[Run]) -> dict[int, RunQuality]:
    """The newest assessment of each run by the run's id: one query, whatever the number of assessments."""
    newest = Assessment.objects.filter(run__in=[run.pk for run in runs]).order_by().values("run")
    ids = newest.annotate(newest=Max("id")).values("newest")
    fields = ("run_id", "generation", "answered", "figures__overall", "figures__race")
    return {
        run_id: RunQuality(generation, answered, Share(**overall), _unused_winner(race))
        for run_id, generation, answered, overall, race in Assessment.objects.filter(pk__in=ids).values_list(*fields)
    }


def _unused_winner(race: list[dict[str, Any]]) -> str:
    return next((row["name"] for row in race if row["is_winner"] and not row["is_in_use"]), "")


def drawn_texts(datasets: list[int]) -> dict[int, int]:
    """How many texts were drawn from each data set that has an audit, by its id."""
    audits = Audit.objects.filter(dataset__in=datasets).order_by()
    return dict(audits.values_list("dataset_id").annotate(n=Sum("drawn")))


def answered_row(sample: Sample) -> AuditRow | None:
    """The audit's row of the sample's text, only once it is answered: before, nobody may know that it was drawn."""
    found = AuditRow.objects.filter(dataset=sample.dataset_id, text_hash=sample.text_hash).select_related("audit")
    row = found.first()
    return row if row and blind_answers(sample.dataset_id, [row.text_hash]) else None
