"""What stored votes and answers say of a data set's hard rows: read from a sample of the rows, never from all."""

from collections import Counter
from dataclasses import dataclass
from random import Random

from annotator_core.types import Route
from labeling.datasets.models import Dataset, Sample
from labeling.labels.chunk_queries import PARAMETERS, PERSON_SOURCES
from labeling.labels.models import Consensus, VerifierAnswer
from labeling.llm.models import Connection
from labeling.projects.models import Project
from labeling.quality.figures import Share, from_json
from labeling.quality.models import AuditRow
from labeling.quality.queries import newest_assessment
from labeling.runs.asking_form import Asking
from labeling.runs.models import Mode, PoolMember, Run, RunState
from labeling.runs.pilots.figures import Counted

PILOT_ROWS = 2_000  # chosen: a share is known to two points then
ANSWERED_ROWS = 2_000
TEXTS = 50
CLOSE = 1e-9
MODES_MEASURED = (Mode.LLM, Mode.LLM_THEN_HUMAN)


@dataclass(frozen=True, slots=True)
class Pilot:
    """How a run's pool of `members` agrees: (uncertainty, rows) ascending, of `rows` of its data set."""

    run: Run
    members: int
    histogram: tuple[tuple[float, int], ...]

    @property
    def rows(self) -> int:
        """Rows that were looked at."""
        return sum(count for _uncertainty, count in self.histogram)


def pilot_of(project: Project, dataset: Dataset) -> Pilot | None:
    """The newest votes on the data set, else on another one of the project; None where no run has cast any."""
    runs = Run.objects.filter(project=project, voted__gt=0).exclude(state=RunState.CANCELLED).select_related("dataset")
    for run in (runs.filter(dataset=dataset).first(), runs.first()):
        histogram = _histogram(run) if run else ()
        members = PoolMember.objects.filter(generation__run=run, generation__number=0).count() if histogram else 0
        if run and members:
            return Pilot(run, members, histogram)
    return None


def _histogram(run: Run) -> tuple[tuple[float, int], ...]:
    """From rows drawn at random; equal draws for equal data."""
    positions = _drawn(run.dataset, PILOT_ROWS)
    counts: Counter[float] = Counter()
    for low in range(0, len(positions), PARAMETERS):
        ids = Sample.objects.filter(dataset=run.dataset, position__in=positions[low : low + PARAMETERS]).values("id")
        found = Consensus.objects.filter(run=run, is_current=True, sample__in=ids)
        counts.update(round(one, 6) for one in found.values_list("uncertainty", flat=True))
    return tuple(sorted(counts.items()))


def _drawn(dataset: Dataset, count: int) -> list[int]:
    random = Random(dataset.pk)  # noqa: S311 (seeded, so that a forecast repeats)
    return sorted(random.sample(range(dataset.row_count), min(count, dataset.row_count)))


def texts_of(dataset: Dataset) -> list[str]:
    """Some texts, drawn at random."""
    return list(
        Sample.objects.filter(dataset=dataset, position__in=_drawn(dataset, TEXTS)).values_list("text", flat=True)
    )


def accepted_share(run: Run) -> Share | None:
    """Of the run's accepted labels, those that its newest audit found right."""
    found = newest_assessment(run)
    return from_json(found.figures).accepted if found else None


def pool_on_hard(run: Run) -> Counted:
    """How often the pool's class is a person's, of hard rows that people decided."""
    rows = Consensus.objects.filter(run=run, is_current=True, route__in=(Route.VERIFY, Route.REVIEW))
    decided = rows.filter(sample__labels__is_current=True, sample__labels__source__in=PERSON_SOURCES)
    pairs = list(decided.values_list("label_class_id", "sample__labels__label_class_id")[:ANSWERED_ROWS])
    return Counted(sum(own == persons for own, persons in pairs), len(pairs))


def model_on_audits(connection: Connection) -> Counted:
    """How often the model's class is a person's, of audited texts: others that people answered were its doubtful ones.

    An abstention counts for nothing here: such a row goes to a person.
    """
    drawn = AuditRow.objects.filter(dataset__project=connection.project_id).values("text_hash")
    answers = VerifierAnswer.objects.filter(
        connection=connection,
        run__in=Run.objects.filter(project=connection.project_id).values("id"),
        text_hash__in=drawn,
        label_class__isnull=False,
    )
    known = answers.filter(sample__labels__is_current=True, sample__labels__source__in=PERSON_SOURCES)
    pairs = list(known.values_list("label_class_id", "sample__labels__label_class_id")[:ANSWERED_ROWS])
    return Counted(sum(own == persons for own, persons in pairs), len(pairs))


def left_to_people(project: Project, asking: Asking) -> dict[str, Counted]:
    """Rows that these models left to people, of all that they saw, by mode: of the newest run in each that is through.

    Only runs that asked in the same way count: another use of the answers, or another threshold, leaves other rows.
    """
    found: dict[str, Counted] = {}
    wanted = {one.pk for one in asking.connections}
    runs = Run.objects.filter(
        project=project,
        mode__in=MODES_MEASURED,
        asking=0,
        hard__gt=0,
        verified__gt=0,
        answer_use=asking.answer_use,
        ask_strategy=asking.strategy,
        draws=asking.draws,
        shows_votes=asking.shows_votes,
    ).prefetch_related("verifiers")
    for run in runs.exclude(state=RunState.CANCELLED)[:20]:
        is_same = run.mode == Mode.LLM or abs(run.sure_from - asking.sure_from) < CLOSE
        if is_same and {one.connection_id for one in run.verifiers.all()} == wanted:
            found.setdefault(run.mode, Counted(run.hard - run.verified, run.hard))
    return found
